"""What firing a step comes to: people told, work moved, priority raised, and the reasons kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from escalation import explain
from escalation.letters import agent_letter, informing_letter
from escalation.models import Escalation, Firing
from escalation.passing import Passing
from escalation.routes import Routes
from escalation.rules import UNACKNOWLEDGED, Due
from escalation.runs import Prospect
from escalation.targets import Found, People
from notifications.outbox import Letter
from roles.models import Team
from tickets.models import EventKind, Ticket
from tickets.timeline import Entry, instant_text

LOUD = {"page": "page", "notify": "notify", "involve": "notify"}
HIERARCHY = "involve"


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
    lines: list[str] = field(default_factory=list)
    insiders: frozenset[int] = frozenset()

    @property
    def only_tells(self) -> bool:
        """Whether the deed leaves the ticket itself as it is."""
        skipped = self.firing.outcome == Firing.Outcome.SKIPPED
        return skipped or all(action["do"] in LOUD for action in self.due.step.actions)

    @property
    def told(self) -> list[int]:
        """Everybody who gets a message, each once."""
        every = [*self.found.values(), *([self.fallback] if self.fallback else [])]
        return list(dict.fromkeys(person_id for found in every for person_id in found.ids))

    def entry(self) -> Entry:
        """The timeline's account of it; the firing must have its id by now."""
        skipped = self.firing.outcome == Firing.Outcome.SKIPPED
        return Entry(
            kind=EventKind.SKIPPED if skipped else EventKind.FIRED,
            facts={
                "firing": self.firing.pk,
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
        return [
            self._letter(person_id, kind, is_alarm=person_id in alarmed)
            if person_id in self.insiders
            else informing_letter(self.ticket, cause=self.firing.cause, recipient_id=person_id)
            for person_id, kind in kinds.items()
        ]

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
            firing_id=self.firing.pk,
            facts={"firing": self.firing.pk},
        )

    def hierarchical(self, reading: Mapping[str, Any]) -> Escalation | None:
        """The record that authority was called in, if the step did so."""
        if not self.found.get(HIERARCHY, Found()).people:
            return None
        return Escalation(
            ticket=self.ticket,
            type=Escalation.Type.HIERARCHICAL,
            from_team_id=cast(int, self.ticket.team_id),
            trigger=self.due.step.trigger,
            firing=self.firing,
            entry=self.ticket.entry,
            from_entry=self.ticket.entry_origin,
            reason_code=Escalation.Reason.POLICY,
            reason=f"{self.policy}: {self.due.step.name}",
            clock_reading=reading,
            opened_at=self.firing.fired_at,
        )


class Executor:
    """Turns decisions into deeds; reads people and routes once for a whole batch."""

    def __init__(self, people: People, routes: Routes, now: datetime) -> None:
        self.now = now
        self.people = people
        self.routes = routes
        self._moved: set[int] = set()

    def has_moved(self, ticket_id: int) -> bool:
        """Whether a step of this batch puts the ticket into another queue."""
        return ticket_id in self._moved

    def skip(self, prospect: Prospect, due: Due, reason: str) -> Deed:
        """The record that a step which was due did nothing, and why."""
        deed = self._deed(prospect, due, Firing.Outcome.SKIPPED)
        deed.lines = explain.skip_sentences(due=due, policy=deed.policy, reason=reason)
        deed.firing.explain = {"text": deed.lines, "reason": reason}
        return deed

    def fire(self, prospect: Prospect, due: Due) -> Deed:
        """Everything that the step asks for; to nobody is said so, and the fallback told."""
        deed = self._deed(prospect, due, Firing.Outcome.FIRED)
        done: list[str] = []
        left_out: list[str] = []
        for action in due.step.actions:
            self._act(deed, action, done, left_out)
            if action["do"] == "move" and deed.to_team is None:
                break  # What follows a move was meant for the team that there is not.
        if not (deed.told or done):
            deed.firing.outcome = Firing.Outcome.EMPTY
        if not deed.told and self._owes_word(prospect, deed, bool(done)):
            deed.fallback = self.people.fallback(deed.ticket)
            left_out += deed.fallback.left_out
        self._explain(prospect, deed, done, left_out)
        return deed

    def _owes_word(self, prospect: Prospect, deed: Deed, has_done: bool) -> bool:
        """Whether a step that reached nobody must tell the fallback.

        Work that was only moved or raised speaks for itself; a move from the top of the ladder
        leaves the word to the rung above, which goes at once.
        """
        step = deed.due.step
        if step.moves and deed.to_team is None:
            return not _has_rung_above(prospect, deed.due)
        return not has_done or any(action["do"] in LOUD for action in step.actions)

    def _deed(self, prospect: Prospect, due: Due, outcome: Firing.Outcome) -> Deed:
        firing = Firing(
            run=prospect.run,
            ticket_id=prospect.run.ticket_id,
            step_id=due.step.id,
            loop=due.loop,
            entry=due.entry,
            outcome=outcome,
            due_at=due.at,
            fired_at=self.now,
        )
        ticket = prospect.run.ticket
        return Deed(
            ticket=ticket,
            firing=firing,
            due=due,
            policy=prospect.run.policy.name,
            insiders=self.people.insiders,
        )

    def _act(
        self, deed: Deed, action: Mapping[str, Any], done: list[str], left_out: list[str]
    ) -> None:
        verb = action["do"]
        if verb in LOUD:
            # After a move in the same step, "on call" means the team that receives the ticket.
            found = self.people.find(deed.ticket, action["to"], team=deed.to_team)
            held = deed.found.setdefault(verb, Found())
            held.people += [item for item in found.people if item.person_id not in held.ids]
            left_out += found.left_out
        elif verb == "move":
            self._move(deed, action["to"], done, left_out)
        elif verb == "raise_priority":
            self._raise(deed, int(action["to"]), done, left_out)

    def _move(self, deed: Deed, goal: str, done: list[str], left_out: list[str]) -> None:
        if goal == "next_tier":
            recommended = self.routes.next_tier(deed.ticket)
            team = recommended.team if recommended else None
            reason = recommended.reason if recommended else ""
        else:
            team = self.people.by_slug.get(goal.removeprefix("team:"))
            reason = "named in the policy"
        if team is None:
            left_out.append("next tier: there is none above this one")
        elif team.pk == deed.ticket.team_id or not team.is_active:
            left_out.append(f"{team}: has the ticket already or takes none")
        else:
            deed.to_team = team
            self._moved.add(deed.ticket.pk)
            done.append(f"Moved from {deed.ticket.team} to {team} ({reason})")

    def _raise(self, deed: Deed, priority: int, done: list[str], left_out: list[str]) -> None:
        ticket = deed.ticket
        if ticket.priority_override is not None or ticket.priority <= priority:
            left_out.append(f"priority: is P{ticket.priority} already or set by hand")
            return
        deed.raise_to = priority
        done.append(f"Priority raised from P{ticket.priority} to P{priority}")

    def _explain(
        self, prospect: Prospect, deed: Deed, done: list[str], left_out: list[str]
    ) -> None:
        every = [*deed.found.values(), *([deed.fallback] if deed.fallback else [])]
        told = [item for found in every for item in found.people]
        deed.lines = explain.sentences(
            due=deed.due,
            policy=deed.policy,
            revision=prospect.run.revision.number,
            fired_at=self.now,
            told=list(dict.fromkeys(f"{item.name} ({item.role})" for item in told)),
            left_out=left_out,
            done=done,
        )
        ticket = deed.ticket
        deed.firing.explain = {
            "text": deed.lines,
            "told": [
                {"person": item.person_id, "name": item.name, "role": item.role} for item in told
            ],
            "left_out": left_out,
            "done": done,
            "ticket": {
                "status": ticket.status,
                "priority": ticket.priority,
                "team": ticket.team_id,
                "entry": ticket.entry,
                "acknowledged": ticket.is_acknowledged,
            },
        }


def _has_rung_above(prospect: Prospect, due: Due) -> bool:
    """Whether the climb goes on at once after an empty step, to people of its own."""
    return any(
        other.step.trigger == due.step.trigger == UNACKNOWLEDGED
        and other.step.position > due.step.position
        for other in prospect.coming
    )
