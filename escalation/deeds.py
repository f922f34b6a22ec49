"""What firing a step comes to: one deed, with its record, its letters and its move."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from escalation.letters import agent_letter, hook_letter, informing_letter
from escalation.models import Escalation, Firing
from escalation.passing import Passing
from escalation.rules import Due
from escalation.steps import LEFT_LOOP, Key
from escalation.targets import Found
from notifications.models import Hook
from notifications.outbox import Letter
from roles.models import Team
from tickets.models import EventKind, Ticket
from tickets.timeline import Entry, instant_text

LOUD = {"page": "page", "notify": "notify", "involve": "notify"}
HIERARCHY = "involve"
LEAVING = frozenset({*LOUD, "move", "call_webhook"})
"""What steps do that leaves the ticket as it is, but for its place."""


@dataclass(frozen=True, slots=True)
class Place:
    """The team and its entry that a call for authority is about."""

    team_id: int
    entry: int
    origin: int


@dataclass(slots=True)
class Deed:
    """One step carried out, or skipped, for one ticket; nothing of it is saved yet."""

    ticket: Ticket
    firing: Firing
    due: Due
    policy: str
    found: dict[str, Found] = field(default_factory=dict)
    to_team: Team | None = None
    raise_to: int | None = None
    fallback: Found | None = None
    hooks: list[Hook] = field(default_factory=list)
    called_from: Place | None = None
    done: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    is_insider: Callable[[int], bool] = lambda person_id: True

    @property
    def only_tells(self) -> bool:
        """Whether the deed leaves the ticket itself as it is."""
        skipped = self.firing.outcome == Firing.Outcome.SKIPPED
        return skipped or self.due.step.only_tells

    @property
    def only_moves(self) -> bool:
        """Whether the deed changes nothing of the ticket but where it is."""
        return self.raise_to is None and all(
            action["do"] in LEAVING for action in self.due.step.actions
        )

    @property
    def told(self) -> list[int]:
        """Everybody who gets a message, each once."""
        every = [*self.found.values(), *([self.fallback] if self.fallback else [])]
        if len(every) == 1:
            return every[0].ids
        return list(dict.fromkeys(person_id for found in every for person_id in found.ids))

    @property
    def outcomes(self) -> dict[Key, str]:
        """What counts as done once this is written: the step, and the entry that it has ended."""
        done = {self.due.key: self.firing.outcome}
        if self.firing.left_entry is not None:
            done[LEFT_LOOP, self.due.step.id, self.firing.left_entry] = self.firing.outcome
        return done

    def entry(self) -> Entry:
        """The timeline's account of it; the firing must have its id by now."""
        skipped = self.firing.outcome == Firing.Outcome.SKIPPED
        return Entry(
            kind=EventKind.SKIPPED if skipped else EventKind.FIRED,
            facts={
                "firing": self.firing.id,
                "policy": self.policy,
                "step": self.due.step.position,
                "name": self.due.step.name,
                "due_at": instant_text(self.due.at),
                "outcome": self.firing.outcome,
                "told": self.told,
            },
        )

    def letters(self) -> list[Letter]:
        """One letter for each person told; somebody paged is not notified as well."""
        kinds: dict[int, str] = {}
        for verb in sorted(self.found, key=lambda name: name != "page"):
            for person_id in self.found[verb].ids:
                kinds.setdefault(person_id, LOUD[verb])
        alarmed = self.fallback.ids if self.fallback else []
        for person_id in alarmed:
            kinds.setdefault(person_id, "page")
        told = [
            self._letter(person_id, kind, is_alarm=person_id in alarmed)
            if self.is_insider(person_id)
            else informing_letter(self.ticket, cause=self.firing.cause, recipient_id=person_id)
            for person_id, kind in kinds.items()
        ]
        return told + [letter for hook in self.hooks if (letter := self._hook_letter(hook))]

    def _hook_letter(self, hook: Hook) -> Letter | None:
        step = self.due.step
        return hook_letter(
            self.ticket, self.firing, hook, policy=self.policy, step=step.name, rung=step.position
        )

    def _letter(self, person_id: int, kind: str, *, is_alarm: bool) -> Letter:
        return agent_letter(
            self.ticket,
            cause=self.firing.cause,
            recipient_id=person_id,
            kind=kind,
            subject=self.due.step.name,
            body="\n".join([*self.lines, "", self.ticket.description[:1000]]),
            rung=self.due.step.position,
            is_alarm=is_alarm,
        )

    def passing(self) -> Passing | None:
        """The move that the step asks for."""
        if self.to_team is None:
            return None
        return Passing(
            ticket=self.ticket,
            to_team=self.to_team,
            reason_code=Escalation.Reason.POLICY,
            reason=f"{self.policy}: {self.due.step.name}",
            trigger=self.due.step.trigger,
            firing_id=self.firing.id,
            facts={"firing": self.firing.id},
        )

    def hierarchical(self, reading: Mapping[str, Any]) -> Escalation | None:
        """The record that authority was called in, if the step did so."""
        place = self.called_from
        if place is None or not self.found.get(HIERARCHY, Found()).people:
            return None
        return Escalation(
            ticket=self.ticket,
            type=Escalation.Type.HIERARCHICAL,
            from_team_id=place.team_id,
            trigger=self.due.step.trigger,
            firing=self.firing,
            entry=place.entry,
            from_entry=place.origin,
            reason_code=Escalation.Reason.POLICY,
            reason=f"{self.policy}: {self.due.step.name}",
            clock_reading=reading,
            opened_at=self.firing.fired_at,
        )
