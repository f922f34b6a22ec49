"""Acts on a ticket's climbs from its admin page: snooze them, let them go on, call a step."""

from collections.abc import Mapping
from typing import Final

from django import forms

from escalation.calling import call_step, callable_steps
from escalation.holding import end_snooze, snooze
from escalation.models import Firing, Run
from roles.models import Person
from roles.refusals import Invalid
from tickets.admin.cases import SHORT, ActForm, CaseAct, Nothing
from tickets.models import Ticket


class Snooze(ActForm):
    until = forms.DateTimeField(help_text="Within 30 days, such as 2026-03-02 14:30.")
    reason = forms.CharField(max_length=250)


class Call(ActForm):
    step = forms.IntegerField(min_value=1, help_text="Its number in the list of steps.")
    policy = forms.SlugField(required=False, help_text="Empty: the main policy of the ticket.")
    reason = forms.CharField(**SHORT)


def _call(
    *, ticket: Ticket, actor: Person, via: str, step: int, policy: str, reason: str
) -> Firing:
    running = Run.objects.filter(ticket=ticket.pk, state=Run.State.ACTIVE)
    named = running.filter(policy__slug=policy) if policy else running.order_by("-is_main", "id")
    run = named.first()
    if run is None:
        raise Invalid("no_policy", "That policy is not under way.", {"policy": "Choose another."})
    return call_step(ticket=ticket, run=run, position=step, actor=actor, reason=reason, via=via)


def step_lines(ticket: Ticket) -> list[str]:
    """The steps that may be called, each with its number, policy and name."""
    return [
        f"{choice.run.policy.slug}: {choice.step.position}. {choice.step.name}"
        for choice in callable_steps(ticket)
    ]


def _climbs(ticket: Ticket) -> bool:
    return ticket.is_open and ticket.runs.filter(state=Run.State.ACTIVE).exists()


def _is_snoozed(ticket: Ticket) -> bool:
    return ticket.runs.filter(state=Run.State.ACTIVE, held=Run.Hold.SNOOZED).exists()


CLIMBS: Final[Mapping[str, CaseAct]] = {
    "snooze": CaseAct("Snooze its policies", "snooze", _climbs, Snooze, snooze),
    "end-snooze": CaseAct("End the snooze", "snooze", _is_snoozed, Nothing, end_snooze),
    "call-step": CaseAct("Call a step", "call_step", _climbs, Call, _call),
}
"""What the escalation floor adds to the acts of a ticket's page."""
