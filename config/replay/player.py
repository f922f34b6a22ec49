"""Plays a script through the domain functions, as the people of the log would, at its own pace."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from config.replay.script import Act, Deed
from config.replay.stage import Cast
from escalation.handover import escalate
from roles.models import Person, Team
from roles.refusals import Refused
from tickets import lifecycle, states
from tickets.assignment import move, take
from tickets.models import Ticket
from tickets.opening import open_ticket


@dataclass(slots=True)
class Played:
    """How the play went: acts done by deed, refusals by deed and reason, who stepped in."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    stepped_in: int = 0
    dropped: int = 0
    slowest_s: float = 0.0
    took_s: float = 0.0


class Player:
    """Carries out acts for the cast.

    Where the engine has moved a ticket meanwhile, the log's person is refused; that is counted,
    and somebody of the team that has it now does the work instead. A move that has lost its
    ground is dropped: the people would have acted otherwise.
    """

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._ids: dict[str, int] = {}
        self.played = Played()

    def play(self, acts: Sequence[Act], *, while_waiting: Callable[[Act | None], None]) -> Played:
        """Play every act at its second; between two acts `while_waiting` may do other work."""
        curtain = time.monotonic()
        for act in acts:
            while (left_s := curtain + act.at_s - time.monotonic()) > 0:
                while_waiting(None)
                time.sleep(max(0.0, min(left_s, 0.2)))
            self.played.slowest_s = max(self.played.slowest_s, -left_s)
            self.do(act)
            while_waiting(act)
        self.played.took_s = time.monotonic() - curtain
        return self.played

    def do(self, act: Act) -> None:
        """One act, by whom the log names; refused, by whoever has the ticket now."""
        if act.deed == Deed.OPEN:
            self._open(act)
            return
        ticket = Ticket.objects.select_related("team__tier", "requester").get(
            pk=self._ids[act.number]
        )
        try:
            _DEEDS[act.deed](self, act, ticket, self._agent(self._cast.teams[act.group]))
        except Refused as refusal:
            self.played.refused[act.deed, refusal.code] += 1
            self._step_in(act, ticket.pk)
        else:
            self.played.done[act.deed] += 1

    def _step_in(self, act: Act, ticket_id: int) -> None:
        ticket = Ticket.objects.select_related("team__tier", "requester").get(pk=ticket_id)
        if act.deed == Deed.MOVE or not ticket.is_open or ticket.team is None:
            self.played.dropped += 1
            return
        agent = self._agent(ticket.team)
        try:
            if ticket.status in states.PENDING and act.deed != Deed.RESUME:
                lifecycle.resume(ticket=ticket, actor=agent)
            if act.deed in (Deed.HOLD, Deed.RESUME):
                take(ticket=ticket, actor=agent)
            if act.deed != Deed.RESUME:
                _DEEDS[act.deed](self, act, ticket, agent)
        except Refused:
            self.played.dropped += 1
        else:
            self.played.stepped_in += 1

    def _agent(self, team: Team) -> Person:
        return self._cast.agents[team.pk][0]

    def _open(self, act: Act) -> None:
        row = act.row
        about = " / ".join(filter(None, (row.category, row.subcategory, row.symptom)))
        caller = self._cast.callers[row.caller or "Unknown caller"]
        ticket = open_ticket(
            subject=row.subject or about or row.number,
            requester=caller,
            actor=caller,
            impact=row.impact,
            urgency=row.urgency,
            team=self._cast.teams.get(act.group, self._cast.desk),
        )
        self._ids[act.number] = ticket.pk
        self.played.done[act.deed] += 1

    def _move(self, act: Act, ticket: Ticket, agent: Person) -> None:
        target = self._cast.teams[act.to_group]
        ranks = (self._cast.teams[act.group].tier.rank or 0, target.tier.rank or 0)
        if ranks[1] > ranks[0]:
            escalate(
                ticket=ticket,
                actor=agent,
                to_team=target,
                reason_code="skill",
                reason="As in the log",
            )
        else:
            move(ticket=ticket, actor=agent, to_team=target, reason="As in the log")

    def _take(self, act: Act, ticket: Ticket, agent: Person) -> None:
        take(ticket=ticket, actor=agent)

    def _hold(self, act: Act, ticket: Ticket, agent: Person) -> None:
        lifecycle.pend(ticket=ticket, actor=agent, status=act.status, reason=act.row.state)

    def _resume(self, act: Act, ticket: Ticket, agent: Person) -> None:
        lifecycle.resume(ticket=ticket, actor=agent)

    def _remark(self, act: Act, ticket: Ticket, agent: Person) -> None:
        text = f"Update {act.row.update} of the log"
        lifecycle.comment(ticket=ticket, actor=agent, text=text, public=False)

    def _resolve(self, act: Act, ticket: Ticket, agent: Person) -> None:
        lifecycle.resolve(ticket=ticket, actor=agent, code="fixed", text="As in the log")

    def _reopen(self, act: Act, ticket: Ticket, agent: Person) -> None:
        lifecycle.reopen(ticket=ticket, actor=ticket.requester, reason="As in the log")

    def _close(self, act: Act, ticket: Ticket, agent: Person) -> None:
        lifecycle.close(ticket=ticket, actor=None)


_DEEDS: Mapping[Deed, Callable[[Player, Act, Ticket, Person], None]] = {
    Deed.MOVE: Player._move,
    Deed.TAKE: Player._take,
    Deed.HOLD: Player._hold,
    Deed.RESUME: Player._resume,
    Deed.REMARK: Player._remark,
    Deed.RESOLVE: Player._resolve,
    Deed.REOPEN: Player._reopen,
    Deed.CLOSE: Player._close,
}


def end_all(reason: str) -> int:
    """Cancel every ticket that is still open, so that all climbing ends; how many there were."""
    tickets = list(Ticket.objects.open().order_by("pk"))
    for ticket in tickets:
        lifecycle.cancel(ticket=ticket, actor=None, reason=reason)
    return len(tickets)
