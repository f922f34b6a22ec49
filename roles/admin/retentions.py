"""The admin page of retention: a period for each kind of thing, and what it would let go of now."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from roles.admin.audited import AuditedAdmin, acting
from roles.instants import database_now
from roles.models import Retention
from roles.retention import COUNTED, KINDS, LONGEST_DAYS, MOST, count_over, set_period


class PeriodForm(forms.ModelForm):
    """A period in days, not below what the kind needs."""

    class Meta:
        model = Retention
        fields = ["days"]

    def clean_days(self) -> int | None:
        """The days. Raises ValidationError below what the kind needs."""
        days: int | None = self.cleaned_data["days"]
        kind = KINDS.get(self.instance.kind)
        if kind is not None and days is not None and not kind.least_days <= days <= LONGEST_DAYS:
            words = f"{kind.least_days} days at least, {LONGEST_DAYS:,} at most."
            raise forms.ValidationError(words)
        return days


@admin.register(Retention)
class RetentionAdmin(AuditedAdmin):
    """How long mails, files, words and letters are kept; without a period, for good."""

    form = PeriodForm
    writes_own_audit = True
    list_display = ["label", "what", "days", "over", "under_way", "erased_at", "erased_count"]
    list_display_links = ["label"]
    fields = [
        *("label", "what", "least", "days", "over", "foreseen"),
        *("under_way", "erased_at", "erased_count"),
    ]
    readonly_fields = [name for name in fields if name != "days"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Retention]:
        """A row for each kind that is kept here."""
        known = set(Retention.objects.values_list("kind", flat=True))
        fresh = [Retention(kind=slug) for slug in KINDS if slug not in known]
        if fresh:
            Retention.objects.bulk_create(fresh, ignore_conflicts=True)
        return super().get_queryset(request).filter(kind__in=KINDS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(description="kind", ordering="kind")
    def label(self, row: Retention) -> str:
        return KINDS[row.kind].label

    @admin.display(description="what goes, what stays")
    def what(self, row: Retention) -> str:
        return KINDS[row.kind].what

    @admin.display(description="at least")
    def least(self, row: Retention) -> str:
        return f"{KINDS[row.kind].least_days} days"

    @admin.display(description="over now", empty_value="kept for good")
    def over(self, row: Retention) -> str | None:
        if row.days is None:
            return None
        return count_words(count_over(KINDS[row.kind], row.days, database_now()).count)

    @admin.display(description="under way", empty_value="no")
    def under_way(self, row: Retention) -> SafeString | None:
        """How far the pass of tonight has come, while it runs."""
        if row.pass_began_at is None:
            return None
        gone = row.erased_count
        left = count_over(KINDS[row.kind], row.days, database_now()).count
        whole = min(gone + left, MOST)
        return format_html(
            '<progress max="{}" value="{}" aria-label="Let go of"></progress> {} of {}{}',
            *(max(whole, 1), gone, f"{gone:,}", f"{whole:,}"),
            " tonight, the rest on later nights" if gone + left > MOST else "",
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; asked for again every few seconds while a pass goes on."""
        answer = super().changelist_view(request, extra_context)
        if Retention.objects.filter(pass_began_at__isnull=False).exists():
            answer.headers["Refresh"] = "10"
        return answer

    @admin.display(description="would be let go of tonight")
    def foreseen(self, row: Retention) -> str:
        """For some usual periods, how many there are: to be looked at before one is set."""
        kind, now = KINDS[row.kind], database_now()
        lines = [
            f"kept for {days} days: {count_words(count_over(kind, days, now).count)}"
            for days in (90, 365, 730, 1095)
            if days >= kind.least_days
        ]
        return format_html("{}", "; ".join(lines))

    def save_model(
        self, request: HttpRequest, obj: Retention, form: forms.ModelForm, change: bool
    ) -> None:
        made = set_period(slug=obj.kind, days=form.cleaned_data["days"], actor=acting(request))
        obj.__dict__.update(made.__dict__)


def count_words(count: int) -> str:
    """A count, as far as it was counted."""
    return f"{COUNTED:,} or more" if count >= COUNTED else f"{count:,}"
