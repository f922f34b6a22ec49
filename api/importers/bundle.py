"""What another product's configuration becomes here: people, a document, what is left out; pure.

Each product has a translator of its own; all of them fill a Bundle, whose document is the one that
policy as code applies.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

Item = dict[str, Any]
_NOT_PLAIN: Final = re.compile(r"[^a-z0-9]+")
SLUG_MAX: Final = 60
NAME_MAX: Final = 120
OWN_WAYS: Final = "everybody is told by mail until they choose their own ways on their page"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody of the other product, known by the mail address."""

    name: str
    email: str
    zone: str = "UTC"
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Stint:
    """A stretch in which somebody serves in place of the turns: an override."""

    team: str
    email: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """Something that has no place here, or not the same one, and why."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Site:
    """What a translator must know of this site: who is known, and what teams are called."""

    usernames: Mapping[str, str]
    """User names by mail address in small letters."""
    teams: Mapping[str, str] = field(default_factory=dict)
    """Slugs of teams by their names."""


@dataclass(slots=True)
class Bundle:
    """All that a translator found, ready to be shown or applied."""

    site: Site
    emails: dict[str, str] = field(default_factory=dict)
    """Mail addresses by the other product's own name for a person."""
    teams: dict[str, Item] = field(default_factory=dict)
    schedules: dict[str, Item] = field(default_factory=dict)
    services: dict[str, Item] = field(default_factory=dict)
    policies: dict[str, Item] = field(default_factory=dict)
    stints: list[Stint] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, what: str, why: str) -> None:
        """Note that something is not taken over, or not as it was."""
        self.left_out.append(LeftOut(what, why))

    def leave_ways_out(self, who: str) -> None:
        """Note that somebody's own rules on how to be told are not taken over."""
        self.leave_out(f"notification rules of {who}", OWN_WAYS)

    def username(self, email: str) -> str | None:
        """The user name of whoever has this address; None when nobody has."""
        return self.site.usernames.get(email.lower())

    def document(self) -> dict[str, Any]:
        """The sections as a file of policy as code has them, empty ones left out."""
        sections = {
            "teams": self.teams,
            "schedules": self.schedules,
            "services": self.services,
            "policies": self.policies,
        }
        return {"version": 1, **{name: items for name, items in sections.items() if items}}

    def add_team(self, name: str, members: Iterable[str], *, lead: str | None = None) -> str:
        """The slug of a team of that name with these people, by mail address; made once."""
        shown = shortened(name)
        slug = self.site.teams.get(shown) or free_slug(shown, self.teams)
        known = filter(None, map(self.username, members))
        team: Item = {"name": shown, "members": dict.fromkeys(sorted(set(known)), "member")}
        if lead and (username := self.username(lead)):
            team["lead"] = username
        self.teams[slug] = team
        return slug


def free_slug(name: str, taken: Iterable[str]) -> str:
    """A slug that can be read as the name, and that is not taken yet."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    plain = _NOT_PLAIN.sub("-", folded).strip("-")[:SLUG_MAX].strip("-") or "imported"
    used = set(taken)
    numbered = (f"{plain}-{number}" for number in range(2, len(used) + 3))
    return next(slug for slug in (plain, *numbered) if slug not in used)


def shortened(name: str, limit: int = NAME_MAX) -> str:
    """The name on one line, cut where it is longer than a name may be."""
    folded = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return (folded if len(folded) <= limit else f"{folded[: limit - 1]}…") or "Without a name"
