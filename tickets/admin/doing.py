"""Acts on tickets from the admin: each goes through its domain function, refusals become words."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from roles.refusals import Invalid, Refused
from tickets.admin.reading import TicketBound, tickets_of
from tickets.models import Ticket


class WordsForm(ActionForm):
    """The bar of actions, with the words that most of them ask for."""

    words = forms.CharField(
        required=False,
        max_length=2000,
        label="Words:",
        widget=forms.TextInput(attrs={"placeholder": "reason, result or reference", "size": 40}),
    )


def key_field() -> forms.CharField:
    """A form's field for the ticket that the form is about."""
    return forms.CharField(
        max_length=20, label="Ticket", widget=forms.TextInput(attrs={"placeholder": "INC-000123"})
    )


def ticket_by_key(request: HttpRequest, key: str) -> Ticket:
    """The ticket of that key. Raises Invalid for one that the person may not see, or none."""
    found = tickets_of(request).filter(key=key.strip().upper()).first()
    if found is None:
        problem = "No ticket that you can see has this key."
        raise Invalid("unknown", problem, {"key": problem})
    return found


class TicketActs(TicketBound):
    """Rows of tickets on which one acts here: written by domain functions, told on timelines."""

    action_form = WordsForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def words(self, request: HttpRequest) -> str:
        """What was typed beside the chosen action."""
        return request.POST.get("words", "")

    def each(
        self, request: HttpRequest, chosen: QuerySet[Any], act: Callable[[Ticket], object]
    ) -> None:
        """Do it to the ticket of each chosen row; what is refused is said for each."""
        done = 0
        for row in chosen.select_related("ticket").order_by("pk"):
            try:
                act(row.ticket)
            except Refused as refusal:
                reasons = " ".join(refusal.fields.values())
                messages.warning(request, f"{row.ticket.key}: {refusal.detail} {reasons}".strip())
            else:
                done += 1
        if done:
            messages.success(request, f"Done for {done}; the timelines tell it.")
