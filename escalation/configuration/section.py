"""What a section of the file is: its record, its rows on the site, and how one is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import models

from escalation.configuration.reading import REQUIRED, Reading
from escalation.configuration.records import Record
from roles.instants import TimeSource
from roles.models import Person

Item = dict[str, Any]
Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Hand:
    """Who writes, why, and by which clock: passed to every domain function."""

    actor: Person | None
    reason: str
    clock: TimeSource

    @property
    def by(self) -> dict[str, Any]:
        """For functions that take no reason."""
        return {"actor": self.actor, "clock": self.clock}

    @property
    def because(self) -> dict[str, Any]:
        """For functions that take a reason."""
        return {**self.by, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Change:
    """One item that is to become something else; `before` is None for a new one."""

    section: "Section"
    key: str
    before: Item | None
    after: Item
    line: int = 1

    @property
    def path(self) -> str:
        return f"{self.section.name}.{self.key}"

    def differs(self, *names: str) -> bool:
        """Whether the item is new, or any of these keys changes."""
        before = self.before
        return before is None or any(before[name] != self.after[name] for name in names)

    @property
    def rewords(self) -> bool:
        """Whether the item's wording changes, so that it takes a new revision."""
        return self.differs(*self.section.wording)


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of configuration, item by item under its slug.

    `identity` names the keys that make up an item's name where it has no slug of its own; such a
    section is written as a list.
    """

    name: str
    kind: str
    record: Record
    present: Callable[[], dict[str, Item]]
    write: Callable[[Change, Hand], None]
    check: Callable[[Item, str, Reading], None] | None = None
    identity: tuple[str, ...] = ()
    settle: Callable[[Item], Item] | None = None
    """Brings what can be said in two ways into the one form that is compared."""
    of: str = ""
    """What the slugs are names of, where that must exist already: a schedule is a team's."""

    @property
    def wording(self) -> tuple[str, ...]:
        """The keys that make up the wording."""
        return tuple(name for name, field in self.record.fields.items() if field.is_wording)

    @property
    def can_switch_off(self) -> bool:
        return "active" in self.record.fields

    def key_of(self, item: Mapping[str, Any]) -> str:
        """The name of an item that has no slug, from what identifies it."""
        return "/".join(str(item.get(name) or "*") for name in self.identity)

    def whole(self, given: Mapping[str, Any], present: Item | None) -> tuple[Item, list[str]]:
        """What the item shall be, and the keys that it lacks.

        Keys left out keep what the site has; those of a wording of which any key is given take
        their defaults.
        """
        rewords = present is None or any(name in given for name in self.wording)
        item: Item = {}
        missing = []
        for name, field in self.record.fields.items():
            if name in given:
                item[name] = given[name]
            elif present is not None and not (field.is_wording and rewords):
                item[name] = present[name]
            elif field.default is REQUIRED:
                missing.append(name)
            else:
                item[name] = field.default
        return (self.settle(item) if self.settle and not missing else item), missing


class Awaiting(Exception):
    """Something that another item of the same file was to make is not there (yet)."""


def find(model: type[Row], name: str | None, by: str = "slug") -> Row | None:
    """The row of that name; None for no name. Raises Awaiting while there is none yet."""
    if name is None:
        return None
    row = model._default_manager.filter(**{by: name}).first()
    if row is None:
        raise Awaiting(f"{model._meta.verbose_name} {name}")
    return row


def require_row(model: type[Row], name: str, by: str = "slug") -> Row:
    """Like `find`, for a name that is never empty."""
    row = find(model, name, by)
    assert row is not None
    return row
