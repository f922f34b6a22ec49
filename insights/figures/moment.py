"""What the numbers of the page of now mean, and that page as tables for files."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.figures.figure import Words
from insights.figures.naming import Names
from insights.figures.present import Present
from insights.figures.tables import Cell, Table
from insights.figures.wording import DASH
from tickets.models import Ticket

NOW: Final = "now"
"""The page of this moment, which has no period: its word in addresses."""
NAME: Final[Words] = gettext_lazy("Now")
ABOUT: Final[Words] = gettext_lazy(
    "What is about to be missed, who waits, who is there, and whether the engine runs."
)
MEANS: Final[dict[str, Words]] = {
    "late": gettext_lazy("Open tickets whose next deadline has passed, of whatever clock."),
    "hour": gettext_lazy("Open tickets whose next deadline is less than an hour away."),
    "nobody": gettext_lazy("Open tickets that wait in a team's queue: nobody has taken them."),
    "expected": gettext_lazy(
        "How many open tickets miss their target or need the next tier, as their probabilities add"
        " up. Restricted tickets have none."
    ),
    "reviews": gettext_lazy(
        "Reviews whose day of signing has passed, and actions agreed on in reviews whose day has."
    ),
    "steps": gettext_lazy(
        "Whether the steps of policies that are due are carried out: late from 30 seconds on."
    ),
    "messages": gettext_lazy("Whether messages that are due are handed to their channels."),
    "dead": gettext_lazy("Messages that no channel could deliver, and that wait for somebody."),
    "aside": gettext_lazy(
        "Tickets whose steps failed three times: they were set aside to delay no other."
    ),
    "counted": gettext_lazy("Whether what has happened is counted in the other dashboards."),
    "tiers": gettext_lazy(
        "The open tickets of each tier by their next deadline: passed, within an hour, within four,"
        " and later or none. With nobody: of all of these, those that wait in a queue."
    ),
    "coming": gettext_lazy("The next deadline of each ticket, the nearest ten."),
    "untouched": gettext_lazy(
        "Tickets in a queue that nobody has taken or acknowledged, the ten that wait longest."
    ),
    "likely": gettext_lazy(
        "The open tickets with the highest probability to miss their target or need the next tier."
    ),
    "gaps": gettext_lazy("When a team with a schedule has nobody on call."),
}
"""What each number and list of the page of now means, by a word of ours."""


When = Callable[[datetime], str]


def iso(at: datetime) -> str:
    """A time as files and programs read it."""
    return at.isoformat(timespec="seconds")


def tables_of_now(present: Present, when: When = iso) -> list[Table]:
    """The page of now as plain tables: its sums first, then its tiers, its lists, and who serves.

    What is not estimated is an empty cell; `when` writes times.
    """
    return [
        _sums(present),
        _tiers(present),
        _coming(present, when),
        _untouched(present, when),
        *([_likeliest(present)] if present.foresight else []),
        _serving(present, when),
        _gaps(present, when),
    ]


def sums_of_now(present: Present) -> list[tuple[str, str]]:
    """The sums of the page of now in words: what is summed up, and how much that is."""
    return [(str(name), worded(value)) for name, value, _means in _sums(present).rows]


def lists_of_now(present: Present) -> list[Table]:
    """The other tables of the page as people read them: times by the reader's own clock.

    A ticket's priority, number and subject stand in one column, for a telephone is narrow; and
    no column is shown that is empty throughout.
    """
    zone = ZoneInfo(present.reader.zone)

    def when(at: datetime) -> str:
        return f"{date_format(at.astimezone(zone), _('j M'))}, {at.astimezone(zone):%H:%M}"

    return [_closely(table) for table in tables_of_now(present, when)[1:]]


def worded(cell: Cell) -> str:
    """A cell as people read it; a dash where there is nothing."""
    if cell is None:
        return DASH
    if isinstance(cell, int | float):
        return str(number_format(cell, force_grouping=True))
    return str(cell)


def _closely(table: Table) -> Table:
    head, rows = list(table.head), [list(row) for row in table.rows]
    if head[0] == _("Ticket"):
        head = [head[0], head[2], head[4]]
        rows = [[f"P{row[3]} {row[0]} {row[1]}", row[2], row[4]] for row in rows]
    kept = [at for at in range(len(head)) if not rows or any(row[at] is not None for row in rows)]
    shown = [[worded(row[at]) for at in kept] for row in rows]
    return Table(table.title, [head[at] for at in kept], shown, table.nothing)


def _sums(present: Present) -> Table:
    whole, foresight = present.whole, present.foresight
    expected = round(whole.expected, 1) if foresight else None
    rows: list[tuple[str, Cell, str]] = [
        (_("Late"), whole.late, "late"),
        (_("Due within the hour"), whole.hour, "hour"),
        (_("With nobody"), whole.waiting, "nobody"),
        (_("Open"), whole.open, "tiers"),
        (_("Expected to end badly"), expected, "expected"),
        (_("Reviews overdue"), present.overdue[0], "reviews"),
        (_("Actions overdue"), present.overdue[1], "reviews"),
        (_("Dead letters"), present.engine.dead, "dead"),
        (_("Set aside after errors"), present.engine.quarantined, "aside"),
    ]
    head = [_("Figure"), _("Value"), _("Means")]
    return Table(_("Now"), head, [(name, value, str(MEANS[word])) for name, value, word in rows])


def _tiers(present: Present) -> Table:
    head = [_("Tier"), _("Late"), _("Within 1 h"), _("Within 4 h"), _("Later"), _("Open")]
    head += [_("With nobody"), _("Rather late than not"), _("Expected to end badly")]
    rows = []
    for row in present.tiers:
        known = present.foresight is not None and row.estimated
        chances = (row.likely, round(row.expected, 1)) if known else (None, None)
        counts = (row.late, row.hour, row.soon, row.calm, row.open, row.waiting)
        rows.append((row.name or _("no team yet"), *counts, *chances))
    nothing = _("No ticket is open. A calm day.")
    return Table(_("Deadlines of open tickets, by tier"), head, rows, nothing)


def _coming(present: Present, when: When) -> Table:
    head = [_("Ticket"), _("Subject"), _("Due"), _("Priority"), _("Team")]
    rows = [_ticket(each, when(each.next_due_at)) for each in present.coming if each.next_due_at]
    nothing = _("No deadline in the next hour.")
    return Table(_("Deadlines of the next hour"), head, rows, nothing)


def _untouched(present: Present, when: When) -> Table:
    head = [_("Ticket"), _("Subject"), _("Since"), _("Priority"), _("Team")]
    rows = [_ticket(each, when(each.status_since)) for each in present.untouched]
    return Table(_("Longest with nobody"), head, rows, _("Every open ticket has somebody."))


def _ticket(ticket: Ticket, value: Cell) -> tuple[Cell, ...]:
    team = ticket.team.name if ticket.team else None
    return ticket.key, ticket.subject, value, ticket.priority, team


def _likeliest(present: Present) -> Table:
    head = [_("Ticket"), _("Subject"), _("Probability"), _("Priority"), _("Team")]
    rows = [_ticket(each.ticket, round(each.probability, 2)) for each in present.likeliest]
    return Table(_("Likeliest to end badly"), head, rows, _("No open ticket is estimated."))


def _serving(present: Present, when: When) -> Table:
    """Teams without a schedule have said that they have nobody: they are left out."""
    head = [_("Team"), _("On call"), _("Until")]
    rows = [
        (
            row.team.name,
            str(row.person) if row.person else _("nobody"),
            when(row.until) if row.until else None,
        )
        for row in present.serving
        if row.has_schedule
    ]
    return Table(_("Who is on call now, by team"), head, rows, _("No team has a schedule."))


def _gaps(present: Present, when: When) -> Table:
    names = Names()
    head = [_("Team"), _("From"), _("To")]
    rows = [(names.teams[gap.team_id].name, when(gap.start), when(gap.end)) for gap in present.gaps]
    nothing = _("None: somebody is on call all the time.")
    return Table(_("Gaps within two weeks"), head, rows, nothing)
