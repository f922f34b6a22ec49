"""All readings of one moment, and the one sentence that they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from insights.operations.checks import checks_part
from insights.operations.engine import engine_part
from insights.operations.messages import messages_part
from insights.operations.queues import ask_broker, queues_part
from insights.operations.reading import Part, Reading, State, gravest
from insights.operations.site import (
    database_part,
    doors_part,
    figures_part,
    settings_part,
    versions_part,
)


@dataclass(frozen=True, slots=True)
class Operations:
    """How the service is at one moment."""

    at: datetime
    parts: Sequence[Part]

    @property
    def state(self) -> State:
        """The gravest state of all parts."""
        return gravest(part.state for part in self.parts)

    @property
    def bad(self) -> list[Reading]:
        """What needs somebody now, in the order of the page."""
        return self._in(State.BAD)

    @property
    def watch(self) -> list[Reading]:
        """What can wait for the morning."""
        return self._in(State.WATCH)

    def _in(self, state: State) -> list[Reading]:
        return [reading for part in self.parts for reading in part.readings
                if reading.state is state]  # fmt: skip


def look_around(now: datetime) -> Operations:
    """Every reading at this moment; the broker is asked once and given a second to answer."""
    broker = ask_broker()
    return Operations(
        now,
        (
            engine_part(now),
            messages_part(now),
            queues_part(broker, now),
            doors_part(now),
            checks_part(now),
            figures_part(now),
            database_part(now),
            settings_part(now),
            versions_part(broker),
        ),
    )
