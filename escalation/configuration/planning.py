"""Compares a file with the site: which items would be made, changed or switched off. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from escalation.configuration.differences import difference_lines, value_text
from escalation.configuration.document import BY_NAME, SECTIONS, Document, Given, Present
from escalation.configuration.section import Change, Item, Section

STEP = 10
"""The gap between the positions of items that are put last."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change that a file asks for, in the order in which they are made."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    @property
    def token(self) -> str:
        """The same for plans that change the same things from the same state to the same state."""
        told = [[change.path, change.before, change.after] for change in self.changes]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def lines(self) -> list[str]:
        """The plan for people: one line for each difference, by its path."""
        return [line for change in self.changes for line in change_lines(change)]

    def summary(self) -> str:
        """How much would change, in one sentence."""
        if not self.changes:
            return "Nothing to change: the site is as the file says."
        new = sum(change.before is None for change in self.changes)
        off = sum(is_switched_off(change) for change in self.changes)
        counts = {"new": new, "changed": len(self.changes) - new - off, "switched off": off}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count) + "."


def make_plan(document: Document, present: Present, *, prune: bool = False) -> Plan:
    """What the file would change on a site in this state.

    With `prune`, items that a section of the file does not list are switched off.
    """
    changes: list[Change] = []
    notes: list[str] = []
    for section in SECTIONS:
        given = document.sections.get(section.name)
        if given is None:
            continue
        changes += _section_changes(section, given, present[section.name])
        if prune:
            gone = {key: item for key, item in present[section.name].items() if key not in given}
            changes += _switched_off(section, gone)
            if gone and not section.can_switch_off:
                names = ", ".join(gone)
                notes.append(f"{section.name}: cannot be switched off and stay: {names}.")
    return Plan(tuple(changes), tuple(notes))


def change_lines(change: Change) -> Iterator[str]:
    """One change for people."""
    show = change.section.record.show
    if change.before is None:
        yield f"+ {change.path}"
        for name, value in show(change.after).items():
            if value not in (None, "", []) and value != {}:
                yield f"    {name}: {value_text(value)}"
    elif is_switched_off(change):
        yield f"- {change.path}: switched off"
    else:
        yield from difference_lines(change.path, show(change.before), show(change.after))


def is_switched_off(change: Change) -> bool:
    """Whether the change does nothing but switch the item off."""
    before = change.before
    return before is not None and {**before, "active": False} == change.after


def _section_changes(
    section: Section, given: Mapping[str, Given], present: Mapping[str, Item]
) -> Iterator[Change]:
    last = max((item.get("position") or 0 for item in present.values()), default=0)
    written = (held.keys.get("position") or 0 for held in given.values())
    last = max((last, *written))
    for key, held in given.items():
        before = present.get(key)
        after, _ = section.whole(held.keys, before)
        if "position" in after and after["position"] is None:
            last += STEP
            after["position"] = last
        if after != before:
            yield Change(section, key, before, after, held.line)


def _switched_off(section: Section, gone: Mapping[str, Item]) -> Iterator[Change]:
    if not section.can_switch_off:
        return
    for key, item in gone.items():
        if item["active"]:
            yield Change(section, key, item, {**item, "active": False})


def sections_of(names: Any) -> list[str]:
    """The names, if all of them are sections; raises ValueError with the first that is none."""
    for name in names:
        if name not in BY_NAME:
            raise ValueError(f'There is no section "{name}"; there are {", ".join(BY_NAME)}.')
    return list(names)
