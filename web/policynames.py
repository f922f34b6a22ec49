"""What the things are called that policies name by their slug: teams, duties, services, vendors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast

from escalation.models import Vendor
from notifications.models import Hook
from roles.models import Calendar, Duty, Organisation, Person, Team, Tier
from tickets.models import Category, Service

KINDS: Final[Mapping[str, Any]] = {
    "team": Team,
    "tier": Tier,
    "duty": Duty,
    "calendar": Calendar,
    "vendor": Vendor,
    "webhook": Hook,
    "service": Service,
    "category": Category,
    "organisation": Organisation,
    "person": Person,
}
LONG: Final = frozenset({"service", "category", "organisation", "person"})
MOST: Final = 300
"""How many of a long kind a form suggests; others are found as they are typed."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names by kind and slug; of a person, by user name."""

    by_kind: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, kind: str, slug: object) -> str:
        """What it is called; what its slug says where nobody knows it."""
        return self.by_kind.get(kind, {}).get(str(slug)) or str(slug).replace("-", " ")

    def knows(self, kind: str, slug: object) -> bool:
        """Whether the site has one."""
        return slug in self.by_kind.get(kind, {})

    def labels(self, kind: str) -> dict[str, str]:
        """By slug what a form calls each: its name, with the slug where two have the same."""
        found = self.by_kind.get(kind, {})
        often = Counter(name.lower() for name in found.values())
        return {
            slug: name if often[name.lower()] == 1 else f"{name} ({slug})"
            for slug, name in found.items()
        }

    def label(self, kind: str, slug: str) -> str:
        """What a form calls one; its slug where nobody knows it."""
        return self.labels(kind).get(slug, slug)

    def slug_of(self, kind: str, text: str) -> str | None:
        """Whose label or slug was typed; None for nobody's."""
        labels = self.labels(kind)
        if text in labels:
            return text
        typed = text.casefold()
        return next((slug for slug, label in labels.items() if label.casefold() == typed), None)


NAMELESS: Final = Names()


def names_in(*things: Any) -> Names:
    """The names of all that steps and conditions name by slug. One query; none if they do not."""
    slugs = {word for thing in things for word in _words(thing)}
    return _read(_named(kind, slugs) for kind in KINDS) if slugs else NAMELESS


def all_names(*typed: Any) -> Names:
    """What a form may offer, and whatever it already says by name or slug. One query."""
    words = {word for thing in typed for word in _words(thing)}
    return _read(_offered(kind, words) for kind in KINDS)


def _key(kind: str) -> str:
    return "username" if kind == "person" else "slug"


def _named(kind: str, slugs: set[str]) -> QuerySet[Any]:
    return KINDS[kind].objects.filter(**{f"{_key(kind)}__in": slugs})


def _offered(kind: str, words: set[str]) -> QuerySet[Any]:
    """All of a kind that is short; of a long one the first by name, and those that were named."""
    rows = KINDS[kind].objects.all()
    if kind not in LONG:
        return rows
    if kind == "person":
        rows = rows.filter(is_active=True, memberships__isnull=False).distinct()
    first = rows.order_by("name").values("pk")[:MOST]
    named = Q(**{f"{_key(kind)}__in": words}) | Q(name__in=words)
    return KINDS[kind].objects.filter(Q(pk__in=first.values("pk")) | named)


def _read(parts: Iterable[QuerySet[Any]]) -> Names:
    """Names by kind, each kind in the order of its names."""
    rows = [
        part.order_by().values_list(Value(kind), Cast(_key(kind), CharField()), "name")
        for kind, part in zip(KINDS, parts, strict=True)
    ]
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for kind, slug, name in sorted(rows[0].union(*rows[1:], all=True), key=_by_name):
        found[kind][slug] = name
    return Names(found)


def _by_name(row: tuple[str, str, str]) -> str:
    return row[2].casefold()


def _words(thing: Any) -> Iterator[str]:
    """Every word within steps, conditions or actions that may name something."""
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    if isinstance(thing, list | tuple):
        for part in thing:
            yield from _words(part)
    elif isinstance(thing, str) and "\0" not in thing:
        yield thing.rpartition(":")[2]
