"""Contact lists of the example site: whom to tell of an outage, whom to call in other cases."""

from typing import NamedTuple

from roles.instants import TimeSource
from roles.models import Person
from tickets.contactlists import keep_list, put_on_list
from tickets.models import ContactList


class Example(NamedTuple):
    """One list: what for, when to call, from which severity on, and who is on it as what."""

    scenario: str
    advice: str
    severity: int
    people: dict[str, str]


LISTS = {
    "Business owners": Example(
        "outage",
        "Told at once of what is severe; they tell their departments.",
        2,
        {"xenia": "board", "tessa": "press and customers"},
    ),
    "Breach of data": Example(
        "security",
        "Call before anything is said outside; the 72 hours run from when it became known.",
        3,
        {"quentin": "CISO", "yusuf": "legal", "xenia": "board"},
    ),
    "Contracts": Example(
        "vendor",
        "When a carrier misses its promise twice, or money is at stake.",
        3,
        {"yusuf": "legal", "marta": "incident manager"},
    ),
}


def make_contact_lists(clock: TimeSource) -> None:
    """Make whatever list is missing; what people made of them stays."""
    everybody = {row.username: row for row in Person.objects.all()}
    for name, about in LISTS.items():
        if ContactList.objects.filter(name=name, team=None).exists():
            continue
        listed = keep_list(
            actor=None,
            name=name,
            scenario=about.scenario,
            severity=about.severity,
            advice=about.advice,
            clock=clock,
        )
        for username, part in about.people.items():
            put_on_list(
                actor=None, listed=listed, person=everybody[username], part=part, clock=clock
            )
