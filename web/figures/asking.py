"""What an address asks of the figures: a period, and what it is narrowed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from insights.figures.behind import Narrower
from insights.figures.folding import zone_of_days
from insights.figures.naming import FILTERS, NARROWERS, NONE, Named, Names, narrowings
from insights.figures.sums import Question
from tickets.models import Kind

USUAL_DAYS: Final = 28
LONGEST_DAYS: Final = 3660
PERIODS: Final[Sequence[tuple[int, str | Promise]]] = (
    (7, _("7 days")),
    (28, _("4 weeks")),
    (91, _("13 weeks")),
    (365, _("A year")),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the words of the address that asked it; what makes no sense is left out."""

    question: Question
    words: Mapping[str, str]
    narrower: Narrower
    names: Names
    today: date
    zone: str
    """Whose midnight parts the days."""

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.question.until - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.question.until - self.question.since).days

    @property
    def query(self) -> str:
        """The address' question mark and all, for links that ask the same."""
        return address(self.words)

    @property
    def is_narrowed(self) -> bool:
        """Whether it asks for less than everything of the period."""
        return any(name in self.words for name in FILTERS)

    @property
    def narrowings(self) -> list[str]:
        """What it is narrowed to, in words."""
        return narrowings(self.words, self.names)

    def with_words(self, **changed: str) -> str:
        """The same question with other words in some places; an empty one is left out."""
        return address({**self.words, **changed})


def address(words: Mapping[str, str]) -> str:
    """The words as the end of an address."""
    said = {name: value for name, value in words.items() if value}
    return f"?{urlencode(said)}" if said else "?"


def asked_of(given: Mapping[str, str], now: datetime) -> Asked:
    """What these words of an address ask; the last four weeks unless they say other.

    `since` and `until` are the first and last day. A word that nothing is called by narrows to
    nothing rather than to all.
    """
    zone = zone_of_days()
    today = now.astimezone(ZoneInfo(zone)).date()
    since, last = _period(given, today)
    names = Names()
    words = {name: given[name][:80] for name in (*FILTERS, *NARROWERS) if given.get(name)}
    words |= {"since": since.isoformat(), "until": last.isoformat()}
    priority = words.get("priority", "")
    if not priority.isdecimal():
        words.pop("priority", None)
    if words.get("kind") not in Kind.values:
        words.pop("kind", None)
    question = Question(
        since=since,
        until=last + timedelta(days=1),
        team=_id_of(words.get("team"), names, "teams"),
        service=_id_of(words.get("service"), names, "services"),
        category=_id_of(words.get("category"), names, "categories"),
        priority=min(int(words["priority"]), 9) if "priority" in words else None,
        kind=words.get("kind", ""),
    )
    narrower = Narrower(**{name: words.get(name, "") for name in NARROWERS})
    return Asked(question, words, narrower, names, today, zone)


def _period(given: Mapping[str, str], today: date) -> tuple[date, date]:
    last = _day(given.get("until", "")) or today
    since = _day(given.get("since", "")) or last - timedelta(days=USUAL_DAYS - 1)
    if since > last:
        since, last = last, since
    return max(since, last - timedelta(days=LONGEST_DAYS)), last


def _day(word: str) -> date | None:
    try:
        found = date.fromisoformat(word)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2200 else None


def _id_of(word: str | None, names: Names, table: str) -> int | None:
    if not word:
        return None
    if word == NONE:
        return 0
    rows: Mapping[int, Named] = getattr(names, table)
    return next((pk for pk, named in rows.items() if named.slug == word), -1)
