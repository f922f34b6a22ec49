"""Fires steps: people told, work moved, priority raised, and the reasons kept, all in memory."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from escalation import explain, gates
from escalation.carriers import CARRIERS, Carry, carry, gather, repeat_of
from escalation.deeds import HIERARCHY, LOUD, Deed, Place
from escalation.models import Firing
from escalation.routes import Routes
from escalation.rules import UNACKNOWLEDGED, Due, Step, ladder, unmet
from escalation.runs import Prospect, postpone
from escalation.targets import Found, People
from notifications.models import Hook
from roles.instances import new_row
from roles.instants import fixed
from roles.models import Team
from roles.refusals import Refused
from tickets.models import EventKind, Ticket
from tickets.repeats import Gathering
from tickets.timeline import Entry, Write, instant_text


class Executor:
    """Turns decisions into deeds, by the people and the routes of a whole batch.

    `notes` are entries about steps that were put off. What a step does beside telling, moving and
    raising is done by `carry`, in the transaction of the batch; a simulation passes its own.
    """

    def __init__(self, people: People, routes: Routes, now: datetime, carry: Carry = carry) -> None:
        self.now = now
        self.people = people
        self.routes = routes
        self.carry = carry
        self.notes: list[Write] = []
        self._moved: set[int] = set()
        self._gathering: Gathering | None = None

    def prepare(self, fires: Iterable[tuple[Prospect, Due]]) -> None:
        """Read at once what the steps that are about to fire will ask for."""
        tokens: set[str] = set()
        teams: set[int] = set()
        carried: list[tuple[Ticket, Mapping[str, Any]]] = []
        for prospect, due in fires:
            for action in due.step.actions:
                if action["do"] in CARRIERS:
                    carried.append((prospect.run.ticket, _about(due.step, action)))
                if action["do"] in LOUD:
                    tokens |= set(action["to"])
                elif action["do"] == "move":
                    team, _ = self._goal(prospect.run.ticket, action["to"])
                    teams |= {team.id} if team else set()
        if tokens or teams:
            self.people.prepare(tokens, teams)
        if carried:
            self.reserve(carried)

    def reserve(self, carried: Iterable[tuple[Ticket, Mapping[str, Any]]]) -> None:
        """Read and lock at once what carrying these out will need, if nobody else has it."""
        self._gathering = gather(carried, beside=self.people.tickets, now=self.now)

    def is_elsewhere(self, prospect: Prospect, fires: Iterable[Due]) -> bool:
        """Whether somebody else is at work on what these steps need: they are looked at anew."""
        asked = (_about(due.step, action) for due in fires for action in due.step.actions)
        ticket, gathering = prospect.run.ticket, self._gathering
        return gathering is not None and any(
            action["do"] == "open_problem"
            and gathering.is_elsewhere(repeat_of(ticket, {**action, "beside": ()}))
            for action in asked
        )

    def finish(self) -> None:
        """Write what the steps had carried out together."""
        if self._gathering is not None:
            self._gathering.record()

    def has_moved(self, ticket_id: int) -> bool:
        """Whether a step of this batch puts the ticket into another queue."""
        return ticket_id in self._moved

    def skip(self, prospect: Prospect, due: Due, reason: str) -> Deed:
        """The record that a step which was due did nothing, and why."""
        deed = self._deed(prospect, due, Firing.Outcome.SKIPPED)
        deed.lines = explain.skip_sentences(due=due, policy=deed.policy, reason=reason)
        deed.firing.explain = {
            "text": deed.lines,
            "reason": reason,
            **explain.seen(prospect, due, self.now),
        }
        return deed

    def fire(self, prospect: Prospect, due: Due) -> Deed | None:
        """Everything that the step asks for; to nobody is said so, and the fallback told.

        None when the step waits for somebody's hours or next shift instead; the run then says until
        when, and `notes` has the entry that tells of it.
        """
        put_off = self._put_off(prospect, due)
        if put_off is not None:
            return self.skip(prospect, due, put_off) if put_off else None
        deed = self._deed(prospect, due, Firing.Outcome.FIRED)
        for action in due.step.actions:
            self._act(deed, action)
            if action["do"] == "move" and self._leads_nowhere(deed, action["to"]):
                break  # What follows a move was meant for the team that there is not.
        if deed.to_team is not None or deed.ticket.entry != prospect.view.entry:
            self._moved.add(deed.ticket.id)
        if not (deed.told or deed.done):
            deed.firing.outcome = Firing.Outcome.EMPTY
        if not deed.told and self._owes_word(prospect, deed):
            deed.fallback = self.people.fallback(deed.ticket)
            deed.left_out += deed.fallback.left_out
        self._explain(prospect, deed)
        return deed

    def _owes_word(self, prospect: Prospect, deed: Deed) -> bool:
        """Whether a step that reached nobody must tell the fallback.

        Work that was only moved or raised speaks for itself; an empty move from the top of the
        ladder leaves the word to the rung above, if that goes at once.
        """
        step = deed.due.step
        if step.moves and deed.to_team is None:
            is_empty = deed.firing.outcome == Firing.Outcome.EMPTY
            return not (is_empty and _goes_on_at_once(prospect, deed.due))
        return not deed.done or any(action["do"] in LOUD for action in step.actions)

    def _deed(self, prospect: Prospect, due: Due, outcome: Firing.Outcome) -> Deed:
        firing = new_row(
            Firing,
            run_id=prospect.run.id,
            ticket_id=prospect.run.ticket_id,
            step_id=due.step.id,
            loop=due.loop,
            entry=due.entry,
            outcome=outcome,
            due_at=due.at,
            fired_at=self.now,
        )
        return Deed(
            ticket=prospect.run.ticket,
            firing=firing,
            due=due,
            policy=prospect.run.policy.name,
            is_insider=self.people.is_insider,
        )

    # ---- What is put off -----------------------------------------------------------------------

    def _put_off(self, prospect: Prospect, due: Due) -> str | None:
        """None when the step goes; a reason to skip it, or "" when the run waits for somebody."""
        step, ticket = due.step, prospect.run.ticket
        hours = step.gates if gates.is_per_person(step.gates) else None
        waits = bool(step.gates.get("hold_for_shift"))
        tokens = [token for item in step.actions if item["do"] in LOUD for token in item["to"]]
        if not tokens or not (hours or waits):
            return None
        team = self._receiver(ticket, step)
        found = self.people.find(ticket, tokens, team=team, hours=hours)
        if found.people:
            return None
        if found.opens and hours and not gates.holds_back(hours):
            return "it is outside the hours of everybody it is for"
        until, why = min(found.opens, default=None), "it is outside the hours of everybody"
        if until is None and waits:
            until, where = self.people.next_shift(ticket, tokens, team)
            why = f"nobody is on call in {where} until then"
        if until is None:
            return None
        self._postpone(prospect, due, until, why)
        return ""

    def _receiver(self, ticket: Ticket, step: Step) -> Team | None:
        """The team that the step would move the ticket to, if any."""
        goals = [action["to"] for action in step.actions if action["do"] == "move"]
        return self._goal(ticket, goals[0])[0] if goals else None

    def _postpone(self, prospect: Prospect, due: Due, until: datetime, why: str) -> None:
        run = prospect.run
        if not postpone(run, due.key, instant_text(until)):
            return
        facts = {
            "policy": run.policy.slug,
            "revision": run.revision_id,
            "step": due.step.position,
            "name": due.step.name,
            "until": instant_text(until),
            "because": why,
        }
        entry = Entry(kind=EventKind.RUN_HELD, facts=facts)
        self.notes.append(Write(ticket=run.ticket, entries=[entry]))

    # ---- What is done --------------------------------------------------------------------------

    def _act(self, deed: Deed, action: Mapping[str, Any]) -> None:
        verb = action["do"]
        if verb in LOUD:
            self._tell(deed, verb, action["to"])
        elif verb == "move":
            self._move(deed, action["to"])
        elif verb == "raise_priority":
            self._raise(deed, int(action["to"]))
        elif verb == "call_webhook":
            self._call(deed, str(action["to"]))
        else:
            self._carry_out(deed, action)

    def _tell(self, deed: Deed, verb: str, tokens: Iterable[str]) -> None:
        step, ticket = deed.due.step, deed.ticket
        hours = step.gates if gates.is_per_person(step.gates) else None
        # After a move in the same step, "on call" means the team that receives the ticket.
        found = self.people.find(ticket, tokens, team=deed.to_team, hours=hours)
        held = deed.found.setdefault(verb, Found())
        held.people += [item for item in found.people if item.person_id not in held.ids]
        deed.left_out += found.left_out
        if verb == HIERARCHY and deed.called_from is None:
            deed.called_from = (
                Place(deed.to_team.pk, ticket.entry + 1, ticket.entry + 1)
                if deed.to_team
                else Place(cast(int, ticket.team_id), ticket.entry, ticket.entry_origin)
            )

    def _carry_out(self, deed: Deed, action: Mapping[str, Any]) -> None:
        reason = f"{deed.policy}: {deed.due.step.name}"
        try:
            shared = {"gathering": self._gathering, "beside": self.people.tickets}
            about = _about(deed.due.step, action) | shared
            done = self.carry(deed.ticket, about, reason=reason, clock=fixed(self.now))
        except Refused as refused:
            deed.left_out.append(f"{action['do'].replace('_', ' ')}: {refused.detail.rstrip('.')}")
            return
        deed.done.append(done)
        if deed.ticket.restricted:
            self.people.refresh(deed.ticket)

    def _call(self, deed: Deed, slug: str) -> None:
        hook = Hook.objects.select_related("account").filter(slug=slug, is_active=True).first()
        if hook is None:
            deed.left_out.append(f"webhook {slug}: there is none, or it is switched off")
        elif deed.ticket.restricted:
            deed.left_out.append(f"webhook {slug}: other systems are told of no restricted case")
        else:
            deed.hooks.append(hook)
            deed.done.append(f"Called {hook.name}")

    def _goal(self, ticket: Ticket, goal: str) -> tuple[Team | None, str]:
        """The team that a move leads to, and why that one."""
        if goal != "next_tier":
            return self.people.by_slug.get(goal.removeprefix("team:")), "named in the policy"
        recommended = self.routes.next_tier(ticket)
        return (recommended.team, recommended.reason) if recommended else (None, "")

    def _move(self, deed: Deed, goal: str) -> None:
        team, reason = self._goal(deed.ticket, goal)
        if team is None:
            deed.left_out.append("next tier: there is none above this one")
        elif team.id == deed.ticket.team_id or not team.is_active:
            deed.left_out.append(f"{team}: has the ticket already or takes none")
        else:
            deed.to_team, deed.firing.left_entry = team, deed.ticket.entry_origin
            deed.done.append(f"Moved from {deed.ticket.team} to {team} ({reason})")

    def _leads_nowhere(self, deed: Deed, goal: str) -> bool:
        """Whether a move came to nothing, and not because the ticket is there already."""
        team, _ = self._goal(deed.ticket, goal)
        return deed.to_team is None and not (
            team is not None and team.is_active and team.id == deed.ticket.team_id
        )

    def _raise(self, deed: Deed, priority: int) -> None:
        ticket = deed.ticket
        if ticket.priority_override is not None or ticket.priority <= priority:
            deed.left_out.append(f"priority: is P{ticket.priority} already or set by hand")
            return
        deed.raise_to = priority
        deed.done.append(f"Priority raised from P{ticket.priority} to P{priority}")

    def _explain(self, prospect: Prospect, deed: Deed) -> None:
        every = [*deed.found.values(), *([deed.fallback] if deed.fallback else [])]
        told = [item for found in every for item in found.people]
        deed.lines = explain.sentences(
            due=deed.due,
            policy=deed.policy,
            revision=prospect.run.revision.number,
            fired_at=self.now,
            told=list(dict.fromkeys(f"{item.name} ({item.role})" for item in told)),
            left_out=deed.left_out,
            done=deed.done,
            seen=explain.reading(prospect, deed.due),
            is_moved=deed.to_team is not None,
        )
        deed.firing.explain = {
            "text": deed.lines,
            "told": [
                {"person": item.person_id, "name": item.name, "role": item.role} for item in told
            ],
            "on_call": self._on_call(deed.ticket),
            "left_out": deed.left_out,
            "done": deed.done,
            **explain.seen(prospect, deed.due, self.now),
        }

    def _on_call(self, ticket: Ticket) -> list[dict[str, Any]]:
        """Who was on call in the team that has the ticket, whether told or not."""
        team_id = cast(int, ticket.team_id)
        ids = self.people.on_call([team_id])[team_id]
        return [{"person": pk, "name": str(self.people.people[pk])} for pk in ids]


def _about(step: Step, action: Mapping[str, Any]) -> dict[str, Any]:
    """The action as its carrier takes it."""
    return {**action, "same": step.same or "service", "window_s": step.window_s}


def _goes_on_at_once(prospect: Prospect, due: Due) -> bool:
    """Whether the rung after an empty one goes at once: nothing may put it off or keep it back."""
    if due.step.trigger != UNACKNOWLEDGED:
        return False
    place = (due.step.delay_s, due.step.position)
    coming = {other.step.id for other in prospect.coming}
    after = (
        step
        for step in ladder(prospect.steps)
        if (step.delay_s, step.position) > place and step.id in coming
    )
    rung = next(after, None)
    return (
        rung is not None and not rung.gates and unmet(rung.conditions, prospect.view.facts) is None
    )
