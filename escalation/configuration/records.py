"""Mappings with known keys: the items of a section and what stands within them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from escalation.configuration import nodes
from escalation.configuration.nodes import Node
from escalation.configuration.reading import REQUIRED, Inline, Reading, Shape, suggestion


@dataclass(frozen=True, slots=True)
class Field:
    """One key: its shape, its default, and whether it belongs to the item's wording.

    A wording is one thing: as soon as one of its keys is written, those left out have their
    defaults. Any other key that is left out keeps what the site has. An export tells those even
    where they have their default, but for one that `may_be_left_out` then.
    """

    shape: Shape
    default: Any = REQUIRED
    is_wording: bool = False
    may_be_left_out: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping whose keys are known. Read, it holds the keys that were written."""

    fields: Mapping[str, Field]
    inline: bool = False
    whole: bool = True
    """Required keys must stand there, and those that say what is the default anyway are dropped."""

    def read(self, node: Node, path: str, reading: Reading) -> dict[str, Any]:
        if not isinstance(node, nodes.Mapping):
            reading.wrong(node, path, "This must be a mapping: a key and its value on each line.")
            return {}
        found = {}
        for key, item in node.entries.items():
            place = f"{path}.{key}"
            reading.lines[place] = node.key_lines[key]
            known = self.fields.get(key)
            if known is None:
                reason = f'Unknown key "{key}".{suggestion(key, self.fields)}'
                reading.wrong_at(place, reason)
                continue
            found[key] = known.shape.read(item, place, reading)
        return self._whole(found, node, path, reading) if self.whole else found

    def _whole(
        self, found: dict[str, Any], node: Node, path: str, reading: Reading
    ) -> dict[str, Any]:
        for key, known in self.fields.items():
            if known.default is REQUIRED and key not in found:
                reading.wrong(node, path, f'"{key}" is missing.')
        return {
            key: found[key]
            for key, known in self.fields.items()
            if key in found and found[key] != known.default
        }

    def show(self, value: Mapping[str, Any]) -> dict[str, Any]:
        shown = {
            key: known.shape.show(value[key]) for key, known in self.fields.items() if key in value
        }
        return Inline(shown) if self.inline else shown
