"""What the numbers of the page of now mean, and that page as tables for files."""

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.figures.figure import Words
from insights.figures.naming import Names
from insights.figures.present import Present
from insights.figures.tables import Cell, Table
from tickets.models import Ticket

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


def tables_of_now(present: Present) -> list[Table]:
    """The page of now as plain tables: its sums, its tiers, its lists, and the gaps ahead.

    What is not estimated is an empty cell; times are the database's, in ISO form.
    """
    return [
        _sums(present),
        _tiers(present),
        _tickets(_("Deadlines of the next hour"), _("Due"), present.coming, "next_due_at"),
        _tickets(_("Longest with nobody"), _("Since"), present.untouched, "status_since"),
        _gaps(present),
    ]


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
    return Table(_("Deadlines of open tickets, by tier"), head, rows)


def _tickets(title: str, when: str, tickets: list[Ticket], column: str) -> Table:
    head = [_("Ticket"), _("Subject"), when, _("Priority"), _("Team")]
    rows = [
        (
            ticket.key,
            ticket.subject,
            getattr(ticket, column).isoformat(timespec="seconds"),
            ticket.priority,
            ticket.team.name if ticket.team else None,
        )
        for ticket in tickets
    ]
    return Table(title, head, rows)


def _gaps(present: Present) -> Table:
    names = Names()
    head = [_("Team"), _("From"), _("To")]
    rows = [
        (
            names.teams[gap.team_id].name,
            gap.start.isoformat(timespec="minutes"),
            gap.end.isoformat(timespec="minutes"),
        )
        for gap in present.gaps
    ]
    return Table(_("Gaps within two weeks"), head, rows)
