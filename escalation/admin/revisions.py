"""Admin pages of policy revisions: a draft is edited with its steps, a published one is read."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from escalation.admin.guard import PolicyGuard
from escalation.admin.policies import FIRST_STEP, page_of, published_words, revision_words
from escalation.admin.wording import condition_words, repeat_words, step_words
from escalation.checking import STEP_FIELDS, check_policy
from escalation.models import PolicyRevision, PolicyStep
from escalation.policies import draft_policy, filled, publish_policy
from roles import audit
from roles.admin.audited import GuardedInline, acting, may
from tickets import states


def is_plain(value: Any) -> bool:
    """Whether a condition's value can be compared: a text, number, yes or no, or a list of them."""
    values = value if isinstance(value, list) else [value]
    return all(item is None or isinstance(item, str | int | float | bool) for item in values)


def list_of_mappings(value: Any) -> list[dict[str, Any]]:
    """The value, if it is a JSON list of objects; raises ValidationError."""
    example = 'such as [{"fact": "priority", "is": 1}].'
    if not isinstance(value, list):
        raise ValidationError(f"This must be a JSON list of objects, {example}")
    for number, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            raise ValidationError(f"{number}: this must be a JSON object, {example}")
    return value


def is_draft(revision: PolicyRevision | None) -> bool:
    """Whether it is yet to be published, and so may be edited."""
    return revision is not None and revision.published_at is None


class DraftForm(forms.ModelForm):
    """When the policy applies, and how often it repeats."""

    class Meta:
        model = PolicyRevision
        fields = ["conditions", "repeat_limit", "repeat_after_s", "stop_on"]
        widgets = {"conditions": forms.Textarea(attrs={"rows": 4, "cols": 80})}

    def clean_conditions(self) -> list[dict[str, Any]]:
        given = self.cleaned_data["conditions"]
        # An empty field means "always". An empty object means a mistake, and says nothing at all.
        conditions = list_of_mappings([] if given is None else given)
        for number, condition in enumerate(conditions, start=1):
            if not all(is_plain(condition.get(word)) for word in ("is", "not")):
                raise ValidationError(
                    f'conditions.{number}: "is" and "not" take a value or a list of values.'
                )
        problems = check_policy(conditions, [FIRST_STEP])
        if problems:
            raise ValidationError([f"{path}: {text}" for path, text in problems.items()])
        return conditions


class StepForm(forms.ModelForm):
    """One step; its place follows the numbers given, ties the order on the page."""

    status = forms.ChoiceField(
        choices=[("", "---------"), *((name, states.LABELS[name]) for name in sorted(states.OPEN))],
        required=False,
    )

    class Meta:
        model = PolicyStep
        fields = ["position", *STEP_FIELDS]
        widgets = {
            "name": forms.TextInput(attrs={"size": 50}),
            "conditions": forms.Textarea(attrs={"rows": 2, "cols": 50}),
            "gates": forms.Textarea(attrs={"rows": 2, "cols": 50}),
            "actions": forms.Textarea(attrs={"rows": 3, "cols": 80}),
        }

    def _get_validation_exclusions(self) -> set[str]:
        # Without the trigger the constraint on it is not asked: the whole policy is checked at
        # once, with better words than a constraint's.
        return {*super()._get_validation_exclusions(), "trigger"}

    def clean_actions(self) -> list[dict[str, Any]]:
        return list_of_mappings(self.cleaned_data["actions"])


class StepsFormSet(forms.BaseInlineFormSet):
    """All steps of a draft, checked together as the policy that they make."""

    def validate_unique(self) -> None:
        """Nothing: positions are given anew when the draft is saved."""

    def steps(self) -> list[dict[str, Any]]:
        """The steps in their order, as draft_policy() takes them."""
        return [
            filled({name: form.cleaned_data.get(name) for name in STEP_FIELDS})
            for form in self._ordered()
        ]

    def clean(self) -> None:
        if any(self.errors):
            return
        ordered = self._ordered()
        for path, problem in check_policy([], self.steps()).items():
            _, number, *place = path.split(".") if "." in path else (path, "", "")
            if not number:
                raise ValidationError(problem)
            field = place[0] if place and place[0] in STEP_FIELDS else None
            detail = ".".join(place)
            ordered[int(number) - 1].add_error(field, f"{detail}: {problem}" if detail else problem)

    def _ordered(self) -> list[forms.ModelForm]:
        kept = [
            form
            for form in self.forms
            if form.cleaned_data
            and not form.cleaned_data.get("DELETE")
            and (form.instance.pk or form.has_changed())
        ]
        return sorted(kept, key=lambda form: form.cleaned_data.get("position") or 0)


class StepsOfDraft(GuardedInline, admin.StackedInline):
    model = PolicyStep
    form = StepForm
    formset = StepsFormSet
    fields = [
        ("position", "name"),
        ("trigger", "clock", "percent", "remaining_s"),
        ("status", "delay_s", "basis"),
        ("count", "window_s", "same"),
        ("conditions", "gates"),
        "actions",
    ]
    verbose_name = "step"
    verbose_name_plural = "steps"
    template = "admin/edit_inline/stacked.html"

    def _is_draft(self, request: HttpRequest, obj: PolicyRevision | None) -> bool:
        return may(request, "manage_policies") and is_draft(obj)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request, "manage_policies", "see_dashboard", "see_audit")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(request, obj)


@admin.register(PolicyRevision)
class PolicyRevisionAdmin(PolicyGuard):
    """Wordings of policies. Saving a draft replaces it whole; a published one stays for ever."""

    form = DraftForm
    writes_own_audit = True
    list_display = ["policy", "number", "state", "applies", "published_at", "published_by"]
    list_display_links = ["policy", "number"]
    list_filter = [("published_at", admin.EmptyFieldListFilter), "policy"]
    list_select_related = ["policy", "published_by"]
    search_fields = ["policy__name"]
    inlines = [StepsOfDraft]
    readonly_fields = ["policy", "number", "published_at", "published_by", "what_it_says"]
    fields = ["policy", "number", "conditions", ("repeat_limit", "repeat_after_s"), "stop_on"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (obj is None or obj.published_at is None) and super().has_change_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if is_draft(obj) else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if is_draft(obj) else []

    @admin.display(description="what it says")
    def what_it_says(self, revision: PolicyRevision) -> str:
        return revision_words(revision)

    @admin.display()
    def state(self, revision: PolicyRevision) -> str:
        return "published" if revision.published_at else "draft"

    @admin.display(description="applies when")
    def applies(self, revision: PolicyRevision) -> str:
        return condition_words(revision.conditions)

    def save_model(
        self, request: HttpRequest, obj: PolicyRevision, form: forms.ModelForm, change: bool
    ) -> None:
        """Nothing yet: conditions and steps are written as one, once the steps are known too."""

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: Any, change: bool
    ) -> None:
        revision: PolicyRevision = form.instance
        (steps,) = [formset.steps() for formset in formsets]
        fresh = draft_policy(
            policy=revision.policy,
            conditions=form.cleaned_data["conditions"],
            steps=steps,
            repeat_limit=form.cleaned_data["repeat_limit"],
            repeat_after_s=form.cleaned_data["repeat_after_s"],
            stop_on=form.cleaned_data["stop_on"],
            actor=acting(request),
        )
        audit.record(
            actor=acting(request),
            action="policy.drafted",
            subject=revision.policy,
            changes=_told(fresh, steps),
        )
        form.instance.pk = fresh.pk

    def construct_change_message(self, *args: Any, **kwargs: Any) -> list[Any]:
        return []

    def response_change(self, request: HttpRequest, obj: PolicyRevision) -> HttpResponse:
        if "_publish" in request.POST:
            published = publish_policy(policy=obj.policy, actor=acting(request))
            messages.success(request, published_words(published))
        elif "_continue" in request.POST:
            messages.success(request, "The draft is saved.")
            return HttpResponseRedirect(page_of(obj))
        else:
            messages.success(request, "The draft is saved; publish it when it is right.")
        return HttpResponseRedirect(reverse("admin:escalation_policy_change", args=[obj.policy_id]))


def _told(revision: PolicyRevision, steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [PolicyStep(**step) for step in steps]
    return {
        "revision": revision.number,
        "applies": condition_words(revision.conditions),
        "repeats": repeat_words(revision),
        "steps": [f"{row.name}: {step_words(row)}" for row in rows],
    }
