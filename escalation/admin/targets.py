"""Admin pages of targets: saving one publishes a revision; running clocks keep theirs."""

from decimal import Decimal
from itertools import islice
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from escalation.admin.guard import PolicyGuard
from escalation.explain import duration
from escalation.models import ClockKind, Target, TargetRevision, Vendor
from escalation.promises import publish_target
from escalation.retargeting import Scope, foreseen, move_clocks, touched_tickets
from roles.admin.audited import acting
from roles.instants import database_now
from roles.models import Calendar, Organisation, Team
from tickets import states
from tickets.models import Kind, Service
from tickets.priority import LABELS

UNITS = {1: "seconds", 60: "minutes", 3600: "hours"}
ANY = "any"
LONGEST_S = 10 * 365 * 24 * 3600
NARROWED = ("calendar", "priority", "kind", "service", "organisation", "team", "vendor")
WORDED = (*NARROWED, "clock", "pauses")
SHOWN = 50


def applies_to(revision: TargetRevision) -> str:
    """To which tickets a target applies, in words."""
    found = [
        f"P{revision.priority}" if revision.priority else "",
        Kind(revision.kind).label if revision.kind else "",
        *(str(getattr(revision, name) or "") for name in NARROWED[3:]),
    ]
    return ", ".join(filter(None, found)) or "everything"


class TargetForm(forms.ModelForm):
    """A target together with the wording of its current revision."""

    clock = forms.ChoiceField(choices=ClockKind.choices)
    amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text="In the unit beside it.",
    )
    unit = forms.TypedChoiceField(
        choices=UNITS.items(), coerce=int, initial=3600, help_text="Working time of the calendar."
    )
    first_amount = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        required=False,
        label="First word in",
        help_text="In the same unit, for updates only: where the first one is due sooner or later.",
    )
    calendar = forms.ModelChoiceField(
        Calendar.objects.all(),
        required=False,
        empty_label="that of the team with the ticket; of the vendor, for its clocks",
    )
    pauses = forms.MultipleChoiceField(
        choices=[(status, states.LABELS[status]) for status in sorted(states.PENDING)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Stands still while",
    )
    priority = forms.TypedChoiceField(
        choices=[("", ANY), *((level, f"P{level} {word}") for level, word in LABELS.items())],
        coerce=int,
        empty_value=None,
        required=False,
    )
    kind = forms.ChoiceField(choices=[("", ANY), *Kind.choices], required=False)
    service = forms.ModelChoiceField(Service.objects.all(), required=False, empty_label=ANY)
    organisation = forms.ModelChoiceField(
        Organisation.objects.all(), required=False, empty_label=ANY, label="Customer group"
    )
    team = forms.ModelChoiceField(Team.objects.all(), required=False, empty_label=ANY)
    vendor = forms.ModelChoiceField(Vendor.objects.all(), required=False, empty_label=ANY)

    class Meta:
        model = Target
        fields = ["name", "slug", "position", "is_active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current = self.instance.current if self.instance.pk else None
        if current is None:
            return
        lengths = [current.seconds, *filter(None, [current.first_seconds])]
        unit = max(size for size in UNITS if all(length % size == 0 for length in lengths))
        shown = {name: getattr(current, name) for name in WORDED}
        shown |= {"amount": current.seconds // unit, "unit": unit}
        shown["first_amount"] = current.first_seconds and current.first_seconds // unit
        self.initial = {**shown, **self.initial}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        cleaned["seconds"] = self._seconds("amount")
        cleaned["first_seconds"] = self._seconds("first_amount")
        return cleaned

    def _seconds(self, name: str) -> int | None:
        amount, unit = self.cleaned_data.get(name), self.cleaned_data.get("unit")
        if amount is None or not unit:
            return None
        seconds = amount * unit
        if seconds != int(seconds) or not 1 <= seconds <= LONGEST_S:
            self.add_error(name, "Whole seconds, from one second to ten years.")
        return int(seconds)

    def wording(self) -> dict[str, Any]:
        """What the form asks for, as the fields of a revision."""
        given = self.cleaned_data
        return {name: given[name] for name in (*WORDED, "seconds", "first_seconds")}


@admin.register(Target)
class TargetAdmin(PolicyGuard):
    """Promises, tried in order of position; for each clock the first that fits holds."""

    form = TargetForm
    asked_as = {"seconds": "amount", "first_seconds": "first_amount"}
    list_display = ["position", "name", "clock", "allowed", "applies", "calendar", "is_active"]
    list_display_links = ["name"]
    list_filter = ["is_active", "current__clock", "current__priority", "current__calendar"]
    list_select_related = [f"current__{name}" for name in ("calendar", *NARROWED[3:])]
    search_fields = ["name", "slug"]
    actions = ["move_open_clocks"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", ("position", "is_active")]}),
        (
            "Promise",
            {"fields": ["clock", ("amount", "unit"), "first_amount", "calendar", "pauses"]},
        ),
        (
            "Applies to",
            {"fields": [("priority", "kind"), *NARROWED[3:]]},
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if self.has_change_permission(request):
            return super().get_fieldsets(request, obj)
        return [(None, {"fields": [*self.list_display, "revision"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        reads_only = not self.has_change_permission(request)
        return [*self.list_display, "revision"] if reads_only else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return super().get_prepopulated_fields(request, obj) if obj is None else {}

    @admin.display(ordering="current__clock")
    def clock(self, target: Target) -> str:
        return ClockKind(target.current.clock).label if target.current else "not published"

    @admin.display(description="allowed", ordering="current__seconds")
    def allowed(self, target: Target) -> str:
        return duration(target.current.seconds) if target.current else ""

    @admin.display(description="applies to")
    def applies(self, target: Target) -> str:
        return applies_to(target.current) if target.current else ""

    @admin.display()
    def calendar(self, target: Target) -> str:
        current = target.current
        return str(current.calendar or "that of the team") if current else ""

    @admin.display()
    def revision(self, target: Target) -> int | None:
        return target.current.number if target.current else None

    def save_model(self, request: HttpRequest, obj: Target, form: TargetForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        wording = form.wording()
        current = obj.current
        if current and all(getattr(current, name) == wording[name] for name in wording):
            return
        clock_kind = wording.pop("clock")
        revision = publish_target(
            target=obj, clock_kind=clock_kind, actor=acting(request), **wording
        )
        if change:
            # Publishing has its own audit entry.
            request.before_change["current"] = revision.pk  # type: ignore[attr-defined]
        messages.info(
            request, f"Revision {revision.number} is published; running clocks keep theirs."
        )

    @admin.action(description="Move open clocks to the current revision", permissions=["change"])
    def move_open_clocks(
        self, request: HttpRequest, chosen: QuerySet[Target]
    ) -> TemplateResponse | None:
        """Show what would be touched and ask for a reason; then move, and say how many."""
        scope = Scope.of(targets=list(chosen))
        if "move" in request.POST:
            reason = request.POST.get("reason", "")
            moved = move_clocks(scope=scope, reason=reason, actor=acting(request))
            messages.success(request, f"The clocks of {moved} tickets were moved.")
            return None
        coming = list(
            islice(foreseen(scope, reader=acting(request), now=database_now()), SHOWN + 1)
        )
        context = {
            **self.admin_site.each_context(request),
            "title": "Move open clocks to what is in force",
            "opts": self.opts,
            "targets": chosen,
            "changes": [
                {"label": ClockKind(each.clock).label, "ticket": each.ticket, "ends": each.ends,
                 "due_at": each.due_at, "due_then": each.due_then}
                for each in coming[:SHOWN]
            ],
            "more": len(coming) > SHOWN,
            "tickets": touched_tickets(scope, acting(request)).count(),
            "checkbox": ACTION_CHECKBOX_NAME,
        }  # fmt: skip
        return TemplateResponse(request, "admin/escalation/target/move_clocks.html", context)


@admin.register(TargetRevision)
class TargetRevisionAdmin(PolicyGuard):
    """Every wording that a target ever had."""

    list_display = ["target", "number", "clock", "allowed", "applies", "calendar", "created_at"]
    list_filter = ["clock", "priority", "target"]
    list_select_related = ["target", "calendar", *NARROWED[3:]]
    search_fields = ["target__name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @admin.display(ordering="seconds")
    def allowed(self, revision: TargetRevision) -> str:
        return duration(revision.seconds)

    @admin.display(description="applies to")
    def applies(self, revision: TargetRevision) -> str:
        return applies_to(revision)
