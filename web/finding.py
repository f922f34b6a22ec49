"""Carries out a search on tickets: each term a condition, each thing not known a sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from roles.access import allows
from roles.models import Person, Team
from roles.people import roles_of
from tickets import states
from tickets.finding import having_number, having_words, keys_like, keys_of_number, without_words
from tickets.models import Category, Kind, Service, TicketQuerySet, Watcher
from web.searching import Age, Search, Term, Trouble, Value

OPEN_TO_ALL: Final = frozenset({"is", "status", "kind", "service", "category", "opened", "updated"})
"""What people may ask by who only see their own requests."""
SETS: Final[Mapping[str, Sequence[str]]] = {
    "open": sorted(states.OPEN),
    "solved": [states.RESOLVED, states.CLOSED],
    "any": sorted(states.ALL),
}


@dataclass
class Finder:
    """Who searches, when, and among which teams; `sentences` gathers what could not be done."""

    person: Person
    now: datetime
    teams: Sequence[Team]
    is_agent: bool
    sentences: list[str] = field(default_factory=list)

    def find(self, tickets: TicketQuerySet, search: Search) -> TicketQuerySet:
        """Those of the tickets that the search asks for."""
        internal = allows(roles_of(self.person), "see_internal")
        self.sentences += [told(trouble) for trouble in search.troubles]
        for term in search.terms:
            if term.name in ("words", "phrase"):
                text, exactly = str(term.values[0]), term.name == "phrase"
                if term.is_not:
                    tickets = without_words(tickets, text, internal=internal)
                else:
                    tickets = having_words(tickets, text, internal=internal, exactly=exactly)
            elif term.name == "number" and not term.is_not:
                tickets = having_number(tickets, str(term.values[0]), internal=internal)
            elif self._may_ask(term):
                wanted = self._wanted(term)
                tickets = tickets.exclude(wanted) if term.is_not else tickets.filter(wanted)
        return tickets

    def _may_ask(self, term: Term) -> bool:
        if self.is_agent or term.name in OPEN_TO_ALL or term.name in ("key", "number"):
            return True
        self.sentences.append(told(Trouble("operator", term.name, tuple(sorted(OPEN_TO_ALL)))))
        return False

    def _wanted(self, term: Term) -> Q:
        """Any of the term's values."""
        read = WAYS[term.name]
        wanted = Q(pk__in=[])
        for value in term.values:
            found = read(self, value)
            if found is None:
                self.sentences.append(
                    _("Nothing here is called “%(word)s” (%(name)s:).")
                    % {"word": value, "name": term.name}
                )
            else:
                wanted |= found
        return wanted


def told(trouble: Trouble) -> str:
    """A sentence on what could not be read, with what there is instead."""
    given = {"word": trouble.word, "choices": ", ".join(trouble.choices)}
    if trouble.sort == "operator":
        names = ", ".join(f"{name}:" for name in trouble.choices)
        text = _(
            "There is no “%(word)s:” to search by; there are %(choices)s. "
            "To find the word itself, put it in quotation marks. The rest was searched."
        )
        return text % {**given, "choices": names}
    if trouble.sort == "empty":
        return _("“%(word)s:” needs a value right after it.") % given
    if trouble.sort == "age":
        return _("“%(word)s” is no length of time; write one like %(choices)s.") % given
    text = _("“%(word)s” means nothing there; there are %(choices)s. The rest was searched.")
    return text % given


# ---- What each operator means --------------------------------------------------------------------


def _team(finder: Finder, value: Value) -> Q | None:
    word = str(value)
    if word in ("mine", "me"):
        return Q(team__in=[each.pk for each in finder.teams if getattr(each, "is_mine", False)])
    found = [each.pk for each in finder.teams if _is_called(word, each.slug, each.name)]
    return Q(team__in=found) if found else None


def _tier(finder: Finder, value: Value) -> Q | None:
    word = str(value)
    found = [
        each.pk
        for each in finder.teams
        if each.tier and _is_called(word, each.tier.slug, each.tier.name)
    ]
    return Q(team__in=found) if found else None


def _is_called(word: str, slug: str, name: str) -> bool:
    """Whether a slug, a name, or a word of the name begins so."""
    lower = name.lower()
    return slug.startswith(word) or lower.startswith(word) or f" {word}" in f" {lower}"


def _person(column: str) -> "Way":
    def read(finder: Finder, value: Value) -> Q | None:
        if value == "me":
            return Q(**{column: finder.person.pk})
        if value in ("none", "nobody"):
            return Q(**{f"{column}__isnull": True})
        found = _people(str(value))
        return Q(**{f"{column}__in": found}) if found else None

    return read


def _people(word: str) -> list[int]:
    called = Q(username__istartswith=word) | Q(name__istartswith=word)
    called |= Q(name__icontains=f" {word}") | Q(email__istartswith=word)
    return list(Person.objects.filter(called).order_by("pk").values_list("pk", flat=True)[:200])


def _watcher(finder: Finder, value: Value) -> Q | None:
    people = [finder.person.pk] if value == "me" else _people(str(value))
    watched = Watcher.objects.filter(ticket=OuterRef("pk"), person__in=people)
    return Q(Exists(watched)) if people else None


def _is(finder: Finder, value: Value) -> Q | None:
    name = str(value)
    return Q(status__in=SETS[name]) if name in SETS else STATES[name]


def _catalogue(column: str, model: type[Service] | type[Category]) -> "Way":
    def read(finder: Finder, value: Value) -> Q | None:
        rows: QuerySet[Any] = model.objects.values_list("pk", "slug", "name")
        found = [pk for pk, slug, name in rows if _is_called(str(value), slug, name)]
        return Q(**{f"{column}__in": found}) if found else None

    return read


def _kind(finder: Finder, value: Value) -> Q | None:
    found = [kind for kind in Kind.values if kind.startswith(str(value))]
    return Q(kind__in=found) if found else None


def _since(column: str) -> "Way":
    def read(finder: Finder, value: Value) -> Q | None:
        assert isinstance(value, Age)
        edge = finder.now - value.length
        return Q(**{f"{column}__{'gte' if value.is_within else 'lt'}": edge})

    return read


def _due(finder: Finder, value: Value) -> Q | None:
    assert isinstance(value, Age)
    edge = finder.now + value.length
    return Q(**{f"next_due_at__{'lte' if value.is_within else 'gt'}": edge})


def _key(finder: Finder, value: Value) -> Q:
    wanted = Q(pk__in=[])
    for key in keys_like(str(value)):
        wanted |= Q(key__startswith=key)
    return wanted


Way = Callable[[Finder, Value], Q | None]
STATES: Final[Mapping[str, Q]] = {
    "breached": Q(breached_at__isnull=False),
    "major": Q(is_major=True),
    "vip": Q(requester__is_vip=True),
    "unassigned": Q(assignee__isnull=True),
    "restricted": Q(restricted=True),
    "acknowledged": Q(acknowledged_at__isnull=False),
    "reopened": Q(reopen_count__gt=0),
    "chased": Q(chase_count__gt=0),
}
WAYS: Final[Mapping[str, Way]] = {
    "team": _team,
    "tier": _tier,
    "is": _is,
    "status": lambda finder, value: Q(status=value),
    "priority": lambda finder, value: Q(priority=value),
    "assignee": _person("assignee"),
    "owner": _person("owner"),
    "requester": _person("requester"),
    "watcher": _watcher,
    "service": _catalogue("service", Service),
    "category": _catalogue("category", Category),
    "kind": _kind,
    "tag": lambda finder, value: Q(tags__contains=[value]),
    "opened": _since("opened_at"),
    "updated": _since("last_event_at"),
    "due": _due,
    "key": _key,
    "number": lambda finder, value: Q(key__in=keys_of_number(str(value))),
}
