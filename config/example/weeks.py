"""The four weeks before the scenes: ordinary tickets, solved and rated: a past for the figures."""

from typing import Final, NamedTuple

from config.example.scenes import HOURS, Act, Opening, Scene, pass_on, say, solve, take

DAYS: Final = 24 * HOURS


class Week(NamedTuple):
    """One ticket: when, who asked for what, who solved it how fast, and what was said of it."""

    days_ago: float
    requester: str
    subject: str
    service: str
    category: str
    solver: str
    minutes: float
    score: int = 0
    kind: str = "incident"
    impact: int = 3
    urgency: int = 3
    source: str = "portal"
    above: str = ""
    """Who solved it in another team; `solver` passed it on then."""


ORDINARY: Final = (
    Week(27.2, "rita", "The shared calendar shows last week", "e-mail", "data", "anna", 15, 5),
    Week(26.1, "mike", "Label printer 3 prints blank", "warehouse", "hardware", "ben", 18, 4),
    Week(
        24.9,
        "sophie",
        "Appointments of today are gone",
        "patient-portal",
        "data",
        "anna",
        23,
        3,
        impact=2,
        urgency=2,
        above="hugo",
    ),
    Week(
        23.3,
        "rita",
        "A second screen for room 12",
        "workplace",
        "hardware",
        "chloe",
        22,
        5,
        kind="request",
    ),
    Week(
        20.4,
        "mike",
        "Orders of one customer fail",
        "ordering",
        "outage",
        "ben",
        20,
        impact=2,
        urgency=1,
        above="grace",
    ),
    Week(19.8, "rita", "New password for the ward", "workplace", "password", "anna", 12, 5),
    Week(18.2, "sophie", "Mail to the laboratory comes back", "e-mail", "outage", "ben", 21, 4),
    Week(
        16.6,
        "mike",
        "VPN drops every hour",
        "remote-access",
        "performance",
        "anna",
        24,
        2,
        above="erik",
        urgency=2,
    ),
    Week(
        13.4, "rita", "How do I book a room?", "workplace", "how-to", "chloe", 20, 5, kind="request"
    ),
    Week(
        12.7,
        "mike",
        "Pick list is slow since Monday",
        "warehouse",
        "performance",
        "ben",
        19,
        3,
        above="hugo",
        urgency=2,
    ),
    Week(11.1, "sophie", "Badge does not open the lab", "workplace", "access", "anna", 14, 5),
    Week(
        9.5,
        "rita",
        "Old results show the wrong name",
        "patient-portal",
        "data",
        "anna",
        27,
        4,
        above="hugo",
        impact=2,
    ),
    Week(6.3, "mike", "Scanner 7 does not charge", "warehouse", "hardware", "chloe", 19),
    Week(5.2, "sophie", "Calendar invitations arrive twice", "e-mail", "data", "ben", 16, 4),
    Week(
        4.1,
        "rita",
        "Wireless is weak in building C",
        "network",
        "performance",
        "anna",
        26,
        2,
        above="fatima",
    ),
    Week(
        3.0, "mike", "Invoice mails stay in the outbox", "e-mail", "outage", "ben", 17, 5, urgency=2
    ),
)


def _scene(week: Week) -> Scene:
    begun = week.days_ago * DAYS
    # Soon enough, and soon enough over, that no policy takes it away meanwhile.
    acts = [take(begun - 2, week.solver)]
    acts.append(say(begun - 4, week.solver, "Thank you. I am looking at it now."))
    if week.above:
        reason, tried = "Needs somebody who knows the inside", "Restarted it; the same again."
        acts.append(pass_on(begun - 7, week.solver, reason, tried, impact="One department"))
        acts.append(take(begun - 10, week.above))
    over = begun - week.minutes
    acts.append(solve(over, week.above or week.solver, "fixed", "Found, mended and tried."))
    acts.append(Act(over - 2 * HOURS, week.requester, "confirm", {}))
    if week.score:
        acts.append(Act(over - 3 * HOURS, week.requester, "rate", {"score": week.score}))
    opening = Opening(
        begun,
        week.requester,
        week.subject,
        "Since this morning; a colleague sees it too.",
        service=week.service,
        category=week.category,
        kind=week.kind,
        impact=week.impact,
        urgency=week.urgency,
        source=week.source,
        began_before=18,
    )
    return Scene(opening, tuple(acts))


WEEKS: Final = {f"week-{number}": _scene(week) for number, week in enumerate(ORDINARY)}
