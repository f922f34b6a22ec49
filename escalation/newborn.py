"""What decides on tickets that have just been opened, on which nothing hangs yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from escalation import keeping, runs, sla
from escalation.clock import Fact
from escalation.models import Policy
from escalation.steps import Step
from roles.editions import Kept
from roles.ledger import waiting_rows
from tickets.models import EventKind, Ticket, TimelineEvent

BIRTH: Final = (EventKind.OPENED, EventKind.MOVED)


@dataclass(frozen=True)
class Setup:
    """The targets and policies in force, and the steps of these, by revision."""

    targets: sla.Targets
    policies: Sequence[Policy]
    steps: Mapping[int, Sequence[Step]]

    def around(self, at: datetime) -> keeping.Around:
        """What decides on the climbs of a ticket that has no ties and no answers yet."""
        return keeping.Around(policies=self.policies, in_majors=frozenset(), answered={}, at=at)


def _read() -> Setup:
    policies = keeping.published()
    revisions = [policy.current_id for policy in policies if policy.current_id is not None]
    steps: dict[int, list[Step]] = {pk: [] for pk in revisions}
    steps |= runs.steps_of(revisions)
    return Setup(sla.Targets(), policies, steps)


SETUP: Final = Kept(_read)


def told(tickets: Sequence[Ticket]) -> dict[int, list[Fact]] | None:
    """The timelines of these tickets, if all were opened by what is not even written down yet.

    Then nobody else knows of them, and they have neither clocks nor climbs. None for any others.
    """
    events: dict[int, list[TimelineEvent]] = {ticket.id: [] for ticket in tickets}
    for event in waiting_rows(TimelineEvent):
        if event.ticket_id in events:
            events[event.ticket_id].append(event)
    if any(tuple(event.kind for event in mine) != BIRTH for mine in events.values()):
        return None
    return {pk: [sla.fact_of(event) for event in mine] for pk, mine in events.items()}
