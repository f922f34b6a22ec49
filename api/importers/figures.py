"""Counts what a history came to: as its log tells it, and as the imported tickets tell it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from django.db import connection

from api.importers.places import SYSTEM
from api.importers.servicenow import Row
from tickets import states

OURS = """
WITH imported AS (
    SELECT id, priority, reopen_count, status FROM tickets_ticket WHERE external_ref LIKE %(ours)s
), moves AS (
    SELECT e.ticket_id,
           (e.canonical::jsonb #>> '{facts,set,team_id}')::bigint AS team
    FROM tickets_timelineevent e JOIN imported i ON i.id = e.ticket_id
    WHERE e.kind = 'moved'
), paths AS (
    SELECT ticket_id, count(*) AS stops, count(DISTINCT team) AS teams FROM moves GROUP BY 1
)
SELECT i.priority,
       count(*),
       coalesce(sum(p.stops - 1), 0),
       count(*) FILTER (WHERE p.stops > 1),
       count(*) FILTER (WHERE p.stops > p.teams),
       count(*) FILTER (WHERE i.reopen_count > 0),
       count(r.id),
       count(r.breached_at),
       (SELECT count(*) FROM escalation_clock a JOIN imported j ON j.id = a.ticket_id
         WHERE a.kind = 'acceptance' AND j.priority = i.priority),
       (SELECT count(a.breached_at) FROM escalation_clock a JOIN imported j ON j.id = a.ticket_id
         WHERE a.kind = 'acceptance' AND j.priority = i.priority)
FROM imported i
LEFT JOIN paths p ON p.ticket_id = i.id
LEFT JOIN escalation_clock r ON r.ticket_id = i.id AND r.kind = 'resolution'
GROUP BY i.priority ORDER BY i.priority
"""


@dataclass(slots=True)
class Line:
    """The counts of one priority, or of all."""

    incidents: int = 0
    moves: int = 0
    moved: int = 0
    ping_pong: int = 0
    reopened: int = 0
    measured: int = 0
    breached: int = 0
    entries: int = 0
    accepted_late: int = 0

    def __add__(self, other: "Line") -> "Line":
        sums = (getattr(self, name) + getattr(other, name) for name in Line.__slots__)
        return Line(*sums)


@dataclass(slots=True)
class LogFigures:
    """What the log itself says, by the priority that each incident ended with."""

    lines: dict[int, Line] = field(default_factory=dict)
    flagged: Counter[int] = field(default_factory=Counter)
    judged: Counter[int] = field(default_factory=Counter)
    raised: int = 0
    asked_user: int = 0


def log_figures(incidents: Iterable[Sequence[Row]]) -> LogFigures:
    """Count a log's incidents; `breached` stays 0, since the log has only its flag."""
    found = LogFigures()
    for rows in incidents:
        last = rows[-1]
        line = found.lines.setdefault(last.priority, Line())
        stops = _stops(rows)
        line.incidents += 1
        line.moves += max(len(stops) - 1, 0)
        line.moved += len(set(stops)) > 1
        line.ping_pong += len(stops) > len(set(stops))
        line.reopened += any(row.reopens for row in rows)
        if last.made_sla is not None:
            found.judged[last.priority] += 1
            found.flagged[last.priority] += not last.made_sla
        found.raised += any(after.priority < before.priority for before, after in pairwise(rows))
        found.asked_user += any(row.status == states.PENDING_REQUESTER for row in rows)
    return found


def _stops(rows: Sequence[Row]) -> list[str]:
    """The groups in turn, without repeats; rows that name none are no stop."""
    named = [row.group for row in rows if row.group]
    return [group for place, group in enumerate(named) if not place or named[place - 1] != group]


def own_figures(system: str = SYSTEM) -> dict[int, Line]:
    """What the tickets imported from that system say, by their priority; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(OURS, {"ours": f"{system}:%"})
        return {row[0]: Line(*map(int, row[1:])) for row in cursor.fetchall()}


def total(lines: Iterable[Line]) -> Line:
    """The sum of all lines."""
    return sum(lines, Line())


def table(log: LogFigures, own: dict[int, Line]) -> list[str]:
    """The closing table: by priority, what the log says beside what our own clocks say."""
    rows = [f"P{priority}" for priority in sorted(set(log.lines) | set(own))]
    head = (
        f"{'':6}{'incidents':>10}{'moves':>8}{'moved':>8}{'ping-pong':>11}{'reopened':>10}"
        f"{'late: ours':>12}{'log':>8}{'accepted late':>15}"
    )
    lines = [head, "-" * len(head)]
    for name in rows:
        priority = int(name[1:])
        line = own.get(priority, Line())
        lines.append(_line(name, line, log.flagged[priority], log.judged[priority]))
    everything = total(own.values())
    lines.append(_line("all", everything, sum(log.flagged.values()), sum(log.judged.values())))
    said = total(log.lines.values())
    shares = {
        "group changed in": said.moved,
        "ping-pong in": said.ping_pong,
        "reopened": said.reopened,
        "priority raised in": log.raised,
        "waited for the user in": log.asked_user,
    }
    words = ", ".join(f"{name} {_share(part, said.incidents)}" for name, part in shares.items())
    lines += [
        "",
        f"The log itself: {said.incidents} incidents, {said.moves} moves; {words}.",
        "“late: ours” is our resolution clock, which stops at the solution; the log's flag counts "
        "to the closing.",
    ]
    return lines


def _line(name: str, line: Line, flagged: int, judged: int) -> str:
    return (
        f"{name:6}{line.incidents:>10}{line.moves:>8}{_share(line.moved, line.incidents):>8}"
        f"{_share(line.ping_pong, line.incidents):>11}{_share(line.reopened, line.incidents):>10}"
        f"{_share(line.breached, line.measured):>12}{_share(flagged, judged):>8}"
        f"{_share(line.accepted_late, line.entries):>15}"
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "not measured"
