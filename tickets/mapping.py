"""Reads any JSON by a mapping that an administrator has written; pure."""

from collections.abc import Mapping
from typing import Any, Final

from tickets.incoming import FIRING, RESOLVED, IncomingAlert
from tickets.matching import value_at

PLACES: Final = (
    *("items", "key", "summary", "state", "severity", "group", "description"),
    *("link", "tags"),
)
"""Members of a mapping that are paths, such as `data.labels.host`."""
MEMBERS: Final = (*PLACES, "resolved", "severities")


class Unmapped(ValueError):
    """The payload has no summary where the mapping says; says where it looked."""


def mapping_problem(mapping: Any) -> str:
    """What is wrong with a mapping, in one sentence; "" when nothing is."""
    if not isinstance(mapping, dict):
        return "Give an object."
    for name, value in mapping.items():
        if name not in MEMBERS:
            return f'There is no "{name}"; known are {", ".join(MEMBERS)}.'
        if name in PLACES and not isinstance(value, str):
            return f'"{name}" is a path, such as "data.title".'
        if name == "resolved" and not (isinstance(value, list) and _are_texts(value)):
            return '"resolved" is a list of the words that mean "over".'
        if name == "severities" and not (isinstance(value, dict) and _are_texts(value.values())):
            return '"severities" says for each of the sender\'s words which of ours it is.'
    if mapping and "summary" not in mapping:
        return 'A mapping needs "summary" at least.'
    return ""


def read_mapped(mapping: Mapping[str, Any], payload: Any) -> list[IncomingAlert]:
    """The alerts of a payload, each where the mapping says. Raises Unmapped."""
    listed = value_at(payload, mapping.get("items", ""))
    items = listed if isinstance(listed, list) else [listed]
    return [_read(mapping, item, number) for number, item in enumerate(items)]


def _read(mapping: Mapping[str, Any], item: Any, number: int) -> IncomingAlert:
    said = {name: _text(value_at(item, mapping[name])) for name in PLACES[1:] if name in mapping}
    if not said.get("summary"):
        raise Unmapped(f'Item {number} has nothing at "{mapping["summary"]}" for its summary.')
    over = {str(word).lower() for word in mapping.get("resolved", ("resolved", "ok", "closed"))}
    severities = {str(k).lower(): v for k, v in mapping.get("severities", {}).items()}
    severity = said.get("severity", "")
    tags = value_at(item, mapping["tags"]) if "tags" in mapping else ()
    link = said.get("link", "")
    return IncomingAlert(
        dedup_key=said.get("key") or said["summary"],
        group_key=said.get("group", ""),
        state=RESOLVED if said.get("state", "").lower() in over else FIRING,
        summary=said["summary"],
        severity=severities.get(severity.lower(), severity),
        details=item if isinstance(item, dict) else {"payload": item},
        links=(link,) if link.startswith(("https://", "http://")) else (),
        description=said.get("description", ""),
        tags=[_text(tag) for tag in tags] if isinstance(tags, list) else (),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\x00", "\ufffd")[:20_000]


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
