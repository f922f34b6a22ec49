"""Admin pages of problems: what is known of them, passed on and resolved."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from roles.admin.audited import acting
from tickets import problems
from tickets.admin.doing import TicketActs, key_field, ticket_by_key
from tickets.models import Problem

KNOWN = ["cause", "workaround", "is_known_error"]


class DiagnosisForm(forms.ModelForm):
    """What is known of a problem."""

    class Meta:
        model = Problem
        fields = KNOWN

    def validate_constraints(self) -> None:
        """Nothing: the domain function says it in better words."""


class NewDiagnosisForm(DiagnosisForm):
    key = key_field()


@admin.register(Problem)
class ProblemAdmin(TicketActs):
    """Problems with cause and workaround; their children are linked as caused by them."""

    list_display = ["ticket", "is_known_error", "gathers", "children", "published_at"]
    list_filter = ["is_known_error", ("published_at", admin.EmptyFieldListFilter)]
    list_select_related = ["ticket"]
    search_fields = ["=ticket__key", "ticket__subject", "cause"]
    actions = ["publish", "publish_to_requesters", "resolve", "resolve_with_children"]
    readonly_fields = ["ticket", "gathers", "children", "diagnosed_by", "diagnosed_at"]

    @admin.display(description="gathers", ordering="about", empty_value="by hand")
    def gathers(self, problem: Problem) -> str | None:
        same = problem.about.partition(":")[0]
        return f"same {same}" if same else None

    @admin.display(description="open children")
    def children(self, problem: Problem) -> int:
        return len(problems.children_of(problem.ticket))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, **given: Any) -> Any:
        form = DiagnosisForm if obj else NewDiagnosisForm
        return super().get_form(request, obj, **{**given, "form": form})

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields[:3], *KNOWN, *self.readonly_fields[3:]] if obj else [
            "key", *KNOWN
        ]  # fmt: skip

    def save_model(
        self, request: HttpRequest, obj: Problem, form: forms.ModelForm, change: bool
    ) -> None:
        ticket = obj.ticket if change else ticket_by_key(request, form.cleaned_data["key"])
        given = {name: form.cleaned_data[name] for name in KNOWN}
        made = problems.diagnose(ticket=ticket, actor=acting(request), **given)
        obj.__dict__.update(made.__dict__)

    @admin.action(description="Pass the workaround on to those at work on its children")
    def publish(self, request: HttpRequest, chosen: QuerySet[Problem]) -> None:
        self._publish(request, chosen, to_requesters=False)

    @admin.action(description="Pass the workaround on, and tell the requesters")
    def publish_to_requesters(self, request: HttpRequest, chosen: QuerySet[Problem]) -> None:
        self._publish(request, chosen, to_requesters=True)

    def _publish(
        self, request: HttpRequest, chosen: QuerySet[Problem], *, to_requesters: bool
    ) -> None:
        given = {"actor": acting(request), "to_requesters": to_requesters}
        self.each(request, chosen, lambda item: problems.publish_workaround(ticket=item, **given))

    @admin.action(description="Resolve as fixed, with the words given")
    def resolve(self, request: HttpRequest, chosen: QuerySet[Problem]) -> None:
        self._resolve(request, chosen, with_children=False)

    @admin.action(description="Resolve as fixed, its open children too")
    def resolve_with_children(self, request: HttpRequest, chosen: QuerySet[Problem]) -> None:
        self._resolve(request, chosen, with_children=True)

    def _resolve(
        self, request: HttpRequest, chosen: QuerySet[Problem], *, with_children: bool
    ) -> None:
        given = {"actor": acting(request), "code": "fixed", "text": self.words(request)}
        for row in chosen.select_related("ticket").order_by("pk"):
            one = self.get_queryset(request).filter(pk=row.pk)
            self.each(
                request,
                one,
                lambda item: problems.resolve_problem(
                    ticket=item, with_children=with_children, **given
                ),
            )
            left = len(problems.children_of(row.ticket))
            if left:
                messages.info(request, f"{row.ticket.key}: {left} open children are left.")
