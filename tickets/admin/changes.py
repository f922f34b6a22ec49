"""Admin pages of changes: planned, decided on and ended; and who waits for which."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from roles.admin.audited import acting
from tickets import changes
from tickets.admin.doing import TicketActs, key_field, ticket_by_key
from tickets.admin.reading import TicketBound
from tickets.models import Change, ChangeWait

PLAN = ["plan", "test", "back_out", "window_from", "window_until"]


class PlanForm(forms.ModelForm):
    """The plan of a change; constraints on it are the domain's to word."""

    class Meta:
        model = Change
        fields = PLAN

    def validate_constraints(self) -> None:
        """Nothing: the domain function says it in better words."""

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "state"}


class NewPlanForm(PlanForm):
    key = key_field()


@admin.register(Change)
class ChangeAdmin(TicketActs):
    """Changes with their plans. Saving a plan anew takes back what was submitted or approved."""

    form = PlanForm
    list_display = ["ticket", "state", "window_from", "window_until", "author", "decided_by"]
    list_filter = ["state", "window_from"]
    list_select_related = ["ticket", "author", "decided_by"]
    search_fields = ["=ticket__key", "ticket__subject"]
    actions = ["submit", "approve", "reject", "implemented", "failed", "backed_out"]
    readonly_fields = ["ticket", "state", "author", "submitted_by", "decided_by", "decided_at"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, **given: Any) -> Any:
        return super().get_form(request, obj, **{**given, "form": PlanForm if obj else NewPlanForm})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["ticket", "state", *PLAN, *self.readonly_fields[2:]] if obj else ["key", *PLAN]

    def save_model(
        self, request: HttpRequest, obj: Change, form: forms.ModelForm, change: bool
    ) -> None:
        ticket = obj.ticket if change else ticket_by_key(request, form.cleaned_data["key"])
        given = {name: form.cleaned_data[name] for name in PLAN}
        made = changes.plan_change(ticket=ticket, actor=acting(request), **given)
        obj.__dict__.update(made.__dict__)

    @admin.action(description="Submit for approval")
    def submit(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        person = acting(request)
        self.each(request, chosen, lambda item: changes.submit_change(ticket=item, actor=person))

    @admin.action(description="Approve")
    def approve(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        given = {"actor": acting(request), "reason": self.words(request)}
        self.each(request, chosen, lambda item: changes.approve_change(ticket=item, **given))

    @admin.action(description="Reject, for the reason given")
    def reject(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        given = {"actor": acting(request), "reason": self.words(request)}
        self.each(request, chosen, lambda item: changes.reject_change(ticket=item, **given))

    @admin.action(description="Implemented, with the result given")
    def implemented(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        self._end(request, chosen, Change.State.IMPLEMENTED)

    @admin.action(description="Failed, with the result given")
    def failed(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        self._end(request, chosen, Change.State.FAILED)

    @admin.action(description="Backed out, with the result given")
    def backed_out(self, request: HttpRequest, chosen: QuerySet[Change]) -> None:
        self._end(request, chosen, Change.State.BACKED_OUT)

    def _end(self, request: HttpRequest, chosen: QuerySet[Change], how: str) -> None:
        given = {"actor": acting(request), "how": how, "result": self.words(request)}
        self.each(request, chosen, lambda item: changes.end_change(ticket=item, **given))


@admin.register(ChangeWait)
class ChangeWaitAdmin(TicketBound):
    """Tickets that were put on hold for a change; resumed ones stay until they wait again."""

    list_display = ["ticket", "change", "status"]
    list_select_related = ["ticket", "change"]
    search_fields = ["=ticket__key", "=change__key"]

    @admin.display()
    def status(self, row: ChangeWait) -> str:
        return row.ticket.get_status_display()
