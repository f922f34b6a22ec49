"""What Ctrl-K finds: records and acts, each only if this person may see or do it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Case, QuerySet, When
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from roles.models import Person, Team
from tickets import states
from tickets.access import allowed_actions
from tickets.models import Ticket
from tickets.savedviews import seen_by
from web.acts import situation
from web.filters import filters_of
from web.finding import Finder
from web.places import places_for
from web.readers import is_agent
from web.register import ACTS
from web.searching import parse
from web.wording import worded

MOST_TICKETS: Final = 8
MOST_EACH: Final = 6
MOST_RECENT: Final = 8


@dataclass(frozen=True)
class Item:
    """One line: what it is called, what kind of thing it is, and where it leads."""

    label: str | Promise
    hint: str | Promise
    icon: str
    address: str
    mark: str = ""
    element: str = ""
    """The id of the same act on the page, to be pressed there instead of opened."""


@dataclass(frozen=True)
class Section:
    """Lines of one kind under their heading."""

    title: str | Promise
    items: Sequence[Item]


def palette(person: Person, text: str, *, key: str, now: datetime) -> list[Section]:
    """What the text finds for the person, on the page of the ticket of that key perhaps."""
    words = text.strip().lower()
    agent = is_agent(person)
    found = [
        Section(_("Do with %(key)s") % {"key": key}, list(_acts(person, key, words))),
        Section(_("Tickets"), list(_tickets(person, text.strip(), agent, now))),
        Section(_("Go to"), list(_places(person, words, agent))),
        Section(_("Teams"), list(_teams(words)) if agent and words else []),
    ]
    return [section for section in found if section.items]


def recent(person: Person, keys: Sequence[str]) -> Section:
    """The tickets of these keys that the person may still see, in this order."""
    wanted = keys[:MOST_RECENT]
    order = Case(*[When(key=key, then=place) for place, key in enumerate(wanted)], default=0)
    rows = Ticket.objects.visible_to(person).filter(key__in=wanted).order_by(order)
    agent = is_agent(person)
    return Section(_("Opened lately"), [_line(row, agent) for row in rows] if wanted else [])


def _acts(person: Person, key: str, words: str) -> Iterator[Item]:
    ticket = Ticket.objects.visible_to(person).filter(key=key).first() if key else None
    if ticket is None:
        return
    at = situation(ticket, person, allowed_actions(person, ticket))
    for act in ACTS:
        if act.is_offered(at) and _fits(words, str(act.label)):
            address = reverse(f"web:act-{act.slug}", args=[key])
            mark = act.key.upper()
            yield Item(act.label, key, act.icon, address, mark=mark, element=f"act-{act.slug}")


def _tickets(person: Person, text: str, agent: bool, now: datetime) -> Iterator[Item]:
    if not text:
        return
    teams = list(Team.objects.filter(is_active=True).select_related("tier")) if agent else []
    finder = Finder(person, now, teams, agent)
    rows: QuerySet[Ticket] = finder.find(Ticket.objects.visible_to(person), parse(text))
    alive = Case(When(status__in=sorted(states.OPEN), then=0), default=1)
    for row in rows.order_by(alive, "-id")[:MOST_TICKETS]:
        yield _line(row, agent)


def _line(row: Ticket, agent: bool) -> Item:
    """A ticket; whoever only asks reads it as a request, in plain words."""
    address = reverse("web:ticket" if agent else "web:request", args=[row.key])
    return Item(row.subject, worded(states.LABELS[row.status]), "ticket", address, mark=row.key)


def _places(person: Person, words: str, agent: bool) -> Iterator[Item]:
    label = _("New ticket") if agent else _("Ask for help")
    new = Item(label, _("act"), "plus", reverse("web:new"), mark="C")
    you = Item(_("Time zone, language, theme"), _("you"), "settings", reverse("web:you"))
    queue = reverse("web:queue")
    items = [new]
    for place in places_for(person, ""):
        mark = f"G {place.key.upper()}"
        items.append(Item(place.label, _("page"), place.icon, place.address, mark=mark))
    for view in seen_by(person) if agent else ():
        address = f"{queue}?{filters_of(view).address()}"
        items.append(Item(view.name, _("view"), "bookmark", address))
    yield from [item for item in [*items, you] if _fits(words, str(item.label))][: MOST_EACH * 2]


def _teams(words: str) -> Iterator[Item]:
    guide, queue = reverse("web:guide"), reverse("web:queue")
    teams = Team.objects.filter(is_active=True, name__icontains=words).order_by("name")
    for team in teams[:MOST_EACH]:
        yield Item(team.name, _("their queue"), "users", f"{queue}?view=all&team={team.slug}")
        yield Item(team.name, _("what they do"), "signpost", f"{guide}#team-{team.slug}")


def _fits(words: str, label: str) -> bool:
    """Whether every word begins some word of the label."""
    parts = label.lower().split()
    return all(any(part.startswith(word) for part in parts) for word in words.split())
