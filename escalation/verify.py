"""Checks stored clocks against the replay of their timelines, as they were read then."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from escalation import sla
from escalation.clock import Cycle, Fact
from escalation.models import Clock
from escalation.tape import replay
from tickets.checking import Checked
from tickets.models import Ticket

BATCH: Final = 500
COMPARED: Final = (
    "team_id",
    "target_id",
    "calendar_id",
    "state",
    "ended_as",
    "target_s",
    "started_at",
    "pauses",
    "stopped_at",
    "due_at",
    "breached_at",
)
TOLERANCE_S: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Finding:
    """A clock that is not what its timeline says."""

    ticket: str
    clock: str
    problem: str

    def __str__(self) -> str:
        return f"{self.ticket} {self.clock}: {self.problem}"


def check_all() -> Iterator[Checked]:
    """Check every ticket's clocks, 500 tickets at a time, in order of their ids."""
    targets = sla.Targets()
    after = 0
    while keys := dict(
        Ticket.objects.filter(pk__gt=after).order_by("pk").values_list("pk", "key")[:BATCH]
    ):
        after = max(keys)
        checked = check(keys, targets)
        if checked.findings:
            # Somebody may have acted between the two readings; nobody can while they are locked.
            with transaction.atomic():
                rows = Ticket.objects.filter(pk__in=list(keys)).order_by("pk")
                list(rows.select_for_update(no_key=True).values_list("pk"))
                checked = check(keys, targets)
        yield checked


def check(keys: Mapping[int, str], targets: sla.Targets) -> Checked:
    """Check the clocks of these tickets; `keys` maps their ids to what people call them."""
    stored: dict[int, dict[tuple[str, int], Clock]] = {ticket_id: {} for ticket_id in keys}
    for row in Clock.objects.filter(ticket__in=list(keys)):
        stored[row.ticket_id][row.kind, row.cycle] = row
    told = sla.timelines(list(keys))
    targets.preload(sla.aimed_at(told))
    findings = [
        Finding(key, clock, problem)
        for ticket_id, key in keys.items()
        for clock, problem in _check_ticket(stored[ticket_id], told[ticket_id], targets)
    ]
    clocks = sum(len(rows) for rows in stored.values())
    return Checked(tickets=len(keys), rows=clocks, findings=findings)


def _check_ticket(
    stored: Mapping[tuple[str, int], Clock], told: Sequence[Fact], targets: sla.Targets
) -> Iterator[tuple[str, str]]:
    cycles = {(cycle.kind, cycle.number): cycle for cycle in replay(told, targets.spec)}
    for kind, number in sorted(set(stored) | set(cycles)):
        name = f"{kind}#{number}"
        row, cycle = stored.get((kind, number)), cycles.get((kind, number))
        if row is None:
            yield name, "has no row, though the timeline calls for one"
        elif cycle is None:
            yield name, "has a row that the timeline does not call for"
        else:
            yield from ((name, problem) for problem in differences(row, cycle))


def differences(row: Clock, cycle: Cycle) -> list[str]:
    """Where a stored row is not what the replay says, read at the moment of the row.

    A breach that the engine has noted since then was read at its deadline.
    """
    noted_at = (row.breached_at or row.due_at) if row.noted_breach else None
    as_of = max(row.as_of, noted_at or row.as_of)
    fresh = Clock(ticket_id=row.ticket_id, kind=row.kind, cycle=row.cycle)
    sla.fill(fresh, cycle, as_of)
    found = [
        f"{name} is {_shown(getattr(row, name))}, by replay {_shown(getattr(fresh, name))}"
        for name in COMPARED
        if getattr(row, name) != getattr(fresh, name)
    ]
    if as_of != row.as_of:
        sla.fill(fresh, cycle, row.as_of)
    if abs(row.elapsed_s - fresh.elapsed_s) > TOLERANCE_S:
        found.append(f"elapsed_s is {row.elapsed_s:.3f}, by replay {fresh.elapsed_s:.3f}")
    return found


def _shown(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)
