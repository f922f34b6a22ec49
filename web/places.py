"""The one list of the places in the navigation: a new page for everybody is one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from roles.access import allows
from roles.models import Person
from roles.people import roles_of
from web.readers import is_agent

Admits = Callable[[Person], bool]


def everybody(person: Person) -> bool:
    """Whoever has signed in."""
    return True


def requesters(person: Person) -> bool:
    """People who only ask."""
    return not is_agent(person)


def people_of_the_service(person: Person) -> bool:
    """Whoever works here, administrators too."""
    return bool(roles_of(person) - {"requester"})


def whoever_may(action: str) -> Admits:
    """People to whom the access table grants this action everywhere."""
    return lambda person: allows(roles_of(person), action)


def staff(person: Person) -> bool:
    """People who may open the admin."""
    return person.is_staff


@dataclass(frozen=True)
class Place:
    """One place: `slug` is what its pages say as `here`, `key` what leads there after G.

    A place whose address does not exist on this site is not shown.
    """

    slug: str
    label: str | Promise
    icon: str
    address: str
    key: str
    admits: Admits = everybody


PLACES = (
    Place("queue", _("Queue"), "list-checks", "web:queue", "q", is_agent),
    Place("portal", _("Help"), "life-buoy", "web:portal", "h", requesters),
    Place("requests", _("My requests"), "list-checks", "web:requests", "r", requesters),
    Place("on-call", _("On call"), "phone-call", "web:on-call", "o", people_of_the_service),
    Place("majors", _("Majors"), "siren", "web:majors", "m", is_agent),
    Place("guide", _("Who does what"), "signpost", "web:guide", "w"),
    Place("policies", _("Policies"), "route", "web:policies", "p", people_of_the_service),
    Place("knowledge", _("Knowledge"), "book-open-text", "web:knowledge", "k"),
    Place("figures", _("Figures"), "chart-column", "web:figures", "f", people_of_the_service),
    Place("mailbox", _("Mailbox"), "mail", "mailbox", "b", is_agent),
    Place(
        "operations", _("Operations"), "activity", "web:operations", "e", whoever_may("see_audit")
    ),
    Place("setup", _("Set-up"), "rocket", "web:setup", "s", whoever_may("admin")),
    Place("admin", _("Admin"), "gauge", "admin:index", "a", staff),
)


@dataclass(frozen=True)
class Shown:
    """A place as one person sees it on one page."""

    slug: str
    label: str | Promise
    icon: str
    address: str
    key: str
    is_here: bool


def places_for(person: Person, here: str) -> list[Shown]:
    """The places of this site that are open to the person, in the order of the navigation."""
    found = []
    for place in PLACES:
        if not place.admits(person):
            continue
        try:
            address = reverse(place.address)
        except NoReverseMatch:
            continue
        slug = place.slug
        found.append(Shown(slug, place.label, place.icon, address, place.key, slug == here))
    return found
