"""Answers "why was nobody paged?" and "why was this escalated?" from stored facts, in sentences.

Nothing is guessed: each sentence rests on a row (event, run, firing, message, clearance) that was
written when it happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from escalation import rules
from escalation.explain import moment
from escalation.models import Escalation, Firing, Policy, Quarantine, Run
from escalation.outlook import next_steps
from escalation.runs import policy_facts
from notifications.models import Message, MessageState
from roles.models import Person
from tickets import states
from tickets.models import Clearance, Origin, Ticket, TimelineEvent

PAGED = "page"


@dataclass(frozen=True, slots=True)
class Then:
    """What a ticket was at a moment, by its timeline: status, and who had acknowledged it."""

    status: str
    status_since: datetime
    acknowledged_by: int | None
    acknowledged_at: datetime | None


def state_at(ticket: Ticket, at: datetime) -> Then | None:
    """The ticket's state at `at`; None before it was opened."""
    status, since = "", ticket.opened_at
    by: int | None = None
    by_since: datetime | None = None
    events = TimelineEvent.objects.filter(ticket=ticket.pk, at__lte=at).order_by("seq")
    for event in events:
        changed = event.facts.get("set", {})
        if "status" in changed:
            status, since = changed["status"], event.at
        if "acknowledged_by_id" in changed:
            by = changed["acknowledged_by_id"]
            by_since = event.at if by else None
    return Then(status, since, by, by_since) if status else None


def why_nobody_was_paged(ticket: Ticket, now: datetime, *, at: datetime | None = None) -> list[str]:
    """Why nobody was paged by `at` (now unless said), or who was; for people of the service."""
    until = min(at or now, now)
    then = state_at(ticket, until)
    if then is None:
        return [f"The ticket was opened {moment(ticket.opened_at)}, after that moment."]
    messages = list(
        Message.objects.filter(topic=ticket.topic, created_at__lte=until)
        .select_related("recipient")
        .order_by("id")
    )
    return [
        *_paged(messages),
        *_standing_still(ticket, then, until),
        *_climbs(ticket, now, until),
        *_firings(ticket, until),
        *_undelivered(ticket, messages, until),
    ]


def _paged(messages: Sequence[Message]) -> list[str]:
    pages = [message for message in messages if message.kind == PAGED]
    if not pages:
        return ["Nobody had been paged."]
    return [
        f"{message.recipient} was paged {moment(message.created_at)} by {message.channel}"
        f" ({message.get_state_display().lower()})."
        for message in pages
    ]


def _standing_still(ticket: Ticket, then: Then, until: datetime) -> list[str]:
    """What keeps the engine from this ticket, or its steps from coming."""
    lines = []
    if ticket.origin == Origin.IMPORTED:
        lines.append("It came by import and has not been adopted: policies leave it alone.")
    if then.status not in states.OPEN:
        words = states.LABELS[then.status].lower()
        lines.append(
            f"It was {words} since {moment(then.status_since)}: policies run for open tickets only."
        )
    elif then.status in states.PENDING:
        words = states.LABELS[then.status].lower()
        lines.append(
            f"It was {words} since {moment(then.status_since)}: steps for unacknowledged tickets,"
            " and those of the clocks that this pauses, stand still."
        )
    if then.acknowledged_by and then.acknowledged_at:
        who = Person.objects.filter(pk=then.acknowledged_by).values_list("name", flat=True).first()
        lines.append(
            f"{who or 'Somebody who has left'} had acknowledged it"
            f" {moment(then.acknowledged_at)}: steps for unacknowledged tickets stand still."
        )
    held = Quarantine.objects.filter(ticket=ticket.pk, since__lte=until).first()
    if held is not None and held.since is not None:
        lines.append(
            f"It stands in quarantine since {moment(held.since)}: the engine failed on it"
            f" {held.tries} times ({held.last_error})."
        )
    if ticket.restricted and not _has_cleared(ticket):
        lines.append("It is restricted, and nobody who works here is cleared for it.")
    return lines


def _has_cleared(ticket: Ticket) -> bool:
    cleared = Clearance.objects.filter(ticket=ticket.pk, person__is_active=True)
    return cleared.exclude(person=ticket.requester_id).exists()


def _climbs(ticket: Ticket, now: datetime, until: datetime) -> list[str]:
    runs = list(
        Run.objects.filter(ticket=ticket.pk, started_at__lte=until)
        .select_related("policy", "revision")
        .order_by("id")
    )
    if not runs:
        return _unmatched(ticket)
    lines = []
    for run in runs:
        name = f"“{run.policy}”, revision {run.revision.number},"
        if run.stopped_at is not None and run.stopped_at <= until:
            lines.append(f"Policy {name} ended {moment(run.stopped_at)}: {run.stop_reason}.")
        else:
            lines.append(f"Policy {name} runs since {moment(run.started_at)}.")
    return [*lines, *_coming(ticket, now, until)]


def _unmatched(ticket: Ticket) -> list[str]:
    """Which policies there are, and for each why it did not run."""
    facts = policy_facts(ticket)
    lines = []
    for policy in Policy.objects.select_related("current").order_by("position", "id"):
        if not policy.is_active:
            lines.append(f"Policy “{policy}” is switched off.")
        elif policy.current is None:
            lines.append(f"Policy “{policy}” has never been published.")
        else:
            failed = failed_conditions(policy.current.conditions, facts)
            lines.append(
                f"Policy “{policy}” did not apply: {'; '.join(failed)}."
                if failed
                else f"Policy “{policy}” applies by now; it had not when the ticket last changed."
            )
    return [*lines, "No policy ran for it."] if lines else ["The site has no policy at all."]


def failed_conditions(
    conditions: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]
) -> list[str]:
    """The conditions that do not hold for these facts, each with what was there instead."""
    failed = []
    for condition in conditions:
        if not rules.matches([condition], facts):
            name = condition["fact"]
            verb = "is not" if "not" in condition else "is"
            wanted = condition.get("not", condition.get("is"))
            failed.append(
                f"it asks that {name} {verb} {_value(wanted)}, and it is {_value(facts.get(name))}"
            )
    return failed


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(map(_value, value)) or "empty"
    if value is None:
        return "unknown"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _coming(ticket: Ticket, now: datetime, until: datetime) -> list[str]:
    """The step that was waited for: the one that fired next, else the one that is coming now."""
    later = Firing.objects.filter(ticket=ticket.pk, fired_at__gt=until).order_by("fired_at", "id")
    following = later.select_related("step").first()
    if following is not None:
        return [f"The next step, “{following.step.name}”, waited until {moment(following.due_at)}."]
    if not ticket.is_open:
        return []
    step = next_steps([ticket.pk], now).get(ticket.pk)
    if step is None:
        return ["No step is still to come."]
    whom = f", and would reach {step.to}" if step.to else ", and would reach nobody"
    return [f"The next step, “{step.what}” ({step.rule}), waits until {moment(step.at)}{whom}."]


def _firings(ticket: Ticket, until: datetime) -> list[str]:
    rows = Firing.objects.filter(ticket=ticket.pk, fired_at__lte=until).order_by("id")
    lines: list[str] = []
    for firing in rows.select_related("step"):
        lines += [f"{moment(firing.fired_at)}: {line}" for line in firing.explain.get("text", [])]
    return lines


def _undelivered(ticket: Ticket, messages: Sequence[Message], until: datetime) -> list[str]:
    """The messages that have not arrived, each with the reason."""
    lines = []
    for message in messages:
        if message.state == MessageState.SENT:
            continue
        words = message.subject.removeprefix(f"[{ticket.key}] ")
        words = words.removesuffix(f": {ticket.subject}") or message.kind.replace("_", " ")
        about = f"The message “{words}” to {message.recipient} by {message.channel}"
        if message.finished_at is not None and message.finished_at <= until:
            lines.append(
                f"{about} was {_ended(message.state)} {moment(message.finished_at)}:"
                f" {message.finished_reason.rstrip('.')}."
            )
        else:
            tries = f" after {message.attempts} tries" if message.attempts else ""
            lines.append(f"{about} had not been sent yet{tries}.")
    return lines


def _ended(state: str) -> str:
    return {
        MessageState.WITHDRAWN.value: "withdrawn",
        MessageState.DROPPED.value: "dropped",
        MessageState.DEAD.value: "given up",
    }.get(state, state)


def why_escalated(ticket: Ticket) -> list[str]:
    """Each escalation of the ticket, oldest first: from whom to whom, by whom or what, and why."""
    rows = (
        Escalation.objects.filter(ticket=ticket.pk)
        .select_related("from_team", "to_team", "actor", "firing")
        .prefetch_related("to_people")
        .order_by("id")
    )
    lines: list[str] = []
    for row in rows:
        people = ", ".join(str(person) for person in row.to_people.all())
        goal = str(row.to_team) if row.to_team else people or "more authority"
        verb = "went to" if row.type == Escalation.Type.FUNCTIONAL else "stayed, and called in"
        by = str(row.actor) if row.actor else "a policy"
        why = row.get_reason_code_display().lower()
        lines.append(
            f"{moment(row.opened_at)}: from {row.from_team} the work {verb} {goal}, by {by}"
            f" ({why}): {row.reason or 'no words'}."
        )
        if row.firing is not None:
            lines += list(row.firing.explain.get("text", []))
        if row.hand_back_code and row.ended_at:
            code = row.get_hand_back_code_display().lower()
            lines.append(f"{moment(row.ended_at)}: handed back, {code}: {row.hand_back_reason}")
    return lines or ["It has not been escalated."]
