"""The whole file: its sections, how it is read from text, and how the site is shown in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from escalation.configuration import nodes
from escalation.configuration.agreements import CONTRACTS
from escalation.configuration.catalogs import CATEGORIES, ROUTES, SERVICES
from escalation.configuration.climbs import POLICIES
from escalation.configuration.nodes import Mistake, Unreadable, read_nodes
from escalation.configuration.places import CALENDARS, DUTIES, TEAMS, TIERS
from escalation.configuration.promises import TARGETS, VENDORS
from escalation.configuration.reading import SLUG, Inline, InlineList, Reading, Use, suggestion
from escalation.configuration.rosters import SCHEDULES
from escalation.configuration.section import Item, Section
from notifications.models import Hook
from roles.models import Organisation, Person

VERSION: Final = 1
# In the order in which they are written: each names only what stands above it, or in itself.
SECTIONS: Final[tuple[Section, ...]] = (
    CALENDARS, TIERS, DUTIES, TEAMS, SCHEDULES, SERVICES, CATEGORIES, ROUTES, CONTRACTS,
    VENDORS, TARGETS, POLICIES,
)  # fmt: skip
BY_NAME: Final = {section.name: section for section in SECTIONS}
HEAD: Final = (
    "# The configuration of a Tierline site; docs/policy-as-code.md says what each key means.\n"
)

Present = dict[str, dict[str, Item]]


@dataclass(frozen=True, slots=True)
class Given:
    """One item of the file: the keys that were written, and its line."""

    keys: Item
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read without a mistake; `sections` has the items of each section in it."""

    sections: Mapping[str, Mapping[str, Given]]


class BadFile(Exception):
    """The file has mistakes, all of which are in `mistakes`; nothing was changed."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes), key=lambda found: (found.line, found.path))
        many = "1 mistake" if len(self.mistakes) == 1 else f"{len(self.mistakes)} mistakes"
        super().__init__(many)

    def lines(self, name: str) -> list[str]:
        """Each mistake as "FILE:LINE: path: reason"."""
        return [f"{name}:{mistake}" for mistake in self.mistakes]


def present_site() -> Present:
    """The site's configuration now, whole, by section and slug."""
    return {section.name: section.present() for section in SECTIONS}


# ---- Reading ----


def read_document(text: str, present: Present) -> Document:
    """The document in `text`, checked against itself and the site. Raises BadFile."""
    reading = Reading()
    try:
        top = read_nodes(text)
    except Unreadable as trouble:
        raise BadFile([trouble.mistake]) from None
    if not isinstance(top, nodes.Mapping):
        raise BadFile([Mistake(top.line, "", 'The file must be a mapping with "version: 1".')])
    _check_version(top, reading)
    document = Document(
        {
            name: _read_section(BY_NAME[name], node, reading)
            for name, node in top.entries.items()
            if name in BY_NAME
        }
    )
    for name in top.entries.keys() - BY_NAME.keys() - {"version"}:
        reason = f'Unknown section "{name}".{suggestion(name, BY_NAME)}'
        reading.mistakes.append(Mistake(top.key_lines[name], name, reason))
    _check_names(document, present, reading)
    _check_whole(document, present, reading)
    if reading.mistakes:
        raise BadFile(reading.mistakes)
    return document


def _check_version(top: nodes.Mapping, reading: Reading) -> None:
    held = top.entries.get("version")
    if held is None:
        reading.mistakes.append(Mistake(top.line, "version", 'The file must say "version: 1".'))
    elif not isinstance(held, nodes.Scalar) or held.value != VERSION:
        reading.wrong(held, "version", f"Only version {VERSION} is known.")


def _read_section(section: Section, node: nodes.Node, reading: Reading) -> dict[str, Given]:
    reading.lines[section.name] = node.line
    if isinstance(node, nodes.Scalar) and node.is_null:
        return {}
    if section.identity:
        return _read_list(section, node, reading)
    if not isinstance(node, nodes.Mapping):
        reading.wrong(node, section.name, "This must be a mapping from each slug to its keys.")
        return {}
    found = {}
    for slug, item in node.entries.items():
        path, line = f"{section.name}.{slug}", node.key_lines[slug]
        reading.lines[path] = line
        if not SLUG.fullmatch(slug):
            reading.wrong_at(path, "A slug has 1 to 80 letters, digits, hyphens or underscores.")
        if section.of:
            reading.uses.append(Use(section.of, slug, line, path))
        found[slug] = _read_item(section, item, path, line, reading)
    return found


def _read_list(section: Section, node: nodes.Node, reading: Reading) -> dict[str, Given]:
    if not isinstance(node, nodes.Sequence):
        reading.wrong(node, section.name, "This must be a list: one entry a line, with a dash.")
        return {}
    found: dict[str, Given] = {}
    for number, item in enumerate(node.items, start=1):
        place = f"{section.name}.{number}"
        reading.lines[place] = item.line
        given = _read_item(section, item, place, item.line, reading)
        key = section.key_of(given.keys)
        if key in found:
            reason = f"{key} stands here twice, first in line {found[key].line}."
            reading.wrong_at(place, reason)
        found[key] = given
    return found


def _read_item(section: Section, node: nodes.Node, path: str, line: int, reading: Reading) -> Given:
    empty = isinstance(node, nodes.Scalar) and node.is_null
    keys = {} if empty else section.record.read(node, path, reading)
    if section.check is not None:
        section.check(keys, path, reading)
    return Given(keys, line)


def _check_names(document: Document, present: Present, reading: Reading) -> None:
    """Every name that is used must be on the site or in the file."""
    known: dict[str, set[str]] = {
        section.kind: {*present[section.name], *document.sections.get(section.name, ())}
        for section in SECTIONS
    }
    known["webhook"] = set(Hook.objects.values_list("slug", flat=True))
    known["organisation"] = set(Organisation.objects.values_list("slug", flat=True))
    asked = {use.name for use in reading.uses if use.kind == "person"}
    people = Person.objects.filter(username__in=asked)
    known["person"] = set(people.values_list("username", flat=True))
    for use in reading.uses:
        if use.name not in known.get(use.kind, ()):
            reading.mistakes.append(Mistake(use.line, use.path, _unknown(use, known)))


def _unknown(use: Use, known: Mapping[str, set[str]]) -> str:
    if use.kind == "person":
        everybody = Person.objects.values_list("username", flat=True)
        close = suggestion(use.name, everybody) if everybody.count() < 5000 else ""
        added = close if close.startswith(" Did") else ""
        return f"There is no person {use.name}; people are not made by a file.{added}"
    return f"There is no {use.kind} {use.name}.{suggestion(use.name, known.get(use.kind, ()))}"


def _check_whole(document: Document, present: Present, reading: Reading) -> None:
    for name, items in document.sections.items():
        section = BY_NAME[name]
        for key, given in items.items():
            _, missing = section.whole(given.keys, present[name].get(key))
            for lacking in missing:
                path = f"{name}.{key}"
                reading.mistakes.append(Mistake(given.line, path, f'"{lacking}" is missing.'))


# ---- Writing ----


def export_text(present: Present, only: Iterable[str] = ()) -> str:
    """The site as a file that, applied to it, changes nothing; `only` names some sections."""
    wanted = set(only) or set(BY_NAME)
    parts = [HEAD + f"version: {VERSION}\n"]
    for section in SECTIONS:
        if section.name in wanted:
            parts.append(_dump({section.name: _shown(section, present[section.name])}))
    return "\n".join(parts)


def _shown(section: Section, items: Mapping[str, Item]) -> Any:
    shown = {key: section.record.show(_written(section, item)) for key, item in items.items()}
    return list(shown.values()) if section.identity else shown


def _written(section: Section, item: Item) -> Item:
    """The keys that the file needs: a wording without its defaults, everything else whole."""
    fields = section.record.fields
    return {
        key: value
        for key, value in item.items()
        if value != fields[key].default
        or not (fields[key].is_wording or fields[key].may_be_left_out)
    }


class _Dumper(yaml.SafeDumper):
    """Writes by YAML 1.2's rules, long texts as blocks, and never an alias."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(
    Inline,
    lambda dumper, value: dumper.represent_mapping(
        "tag:yaml.org,2002:map", value.items(), flow_style=True
    ),
)
_Dumper.add_representer(
    InlineList,
    lambda dumper, value: dumper.represent_sequence(
        "tag:yaml.org,2002:seq", value, flow_style=True
    ),
)
for _tag, _pattern in (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan"),
):
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), None
    )


def _dump(value: Any) -> str:
    shown: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )
    return shown
