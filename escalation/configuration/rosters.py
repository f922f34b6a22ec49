"""The section of on-call schedules: the layers of each team's schedule, one revision at a time."""

from datetime import date, time
from typing import Any

from escalation.configuration.reading import Reading
from escalation.configuration.records import Field, Record
from escalation.configuration.section import Change, Hand, Item, Section, require_row
from escalation.configuration.shapes import (
    DAY,
    TIME,
    WEEKDAY,
    ZONE,
    Hours,
    Many,
    Name,
    Text,
    Whole,
)
from roles.hours import parse_hours
from roles.models import Person, Schedule, Team
from roles.models.oncall import MAX_SHIFT_DAYS, MAX_SHIFT_HOURS
from roles.rosters import LayerSpec, layers_of, newest_revision, publish_schedule, set_schedule

LAYER = Record(
    {
        "name": Field(Text(200, may_be_empty=False)),
        "people": Field(Many(Name("person"), inline=True)),
        "starts_on": Field(DAY),
        "handover": Field(TIME),
        "weekday": Field(WEEKDAY, default=0),
        "shift_days": Field(Whole(1, MAX_SHIFT_DAYS, may_be_none=True), default=None),
        "shift_hours": Field(Whole(1, MAX_SHIFT_HOURS, may_be_none=True), default=None),
        "zone": Field(ZONE, default=""),
        "hours": Field(Hours(), default=[]),
    }
)


def _schedules() -> dict[str, Item]:
    found = {}
    for row in Schedule.objects.select_related("team").order_by("team__slug"):
        newest = newest_revision(row)
        found[row.team.slug] = {
            "name": row.name,
            "zone": row.zone,
            "layers": [_layer_item(layer) for layer in layers_of(newest)] if newest else [],
        }
    return found


def _layer_item(layer: LayerSpec) -> Item:
    """A layer as the file has it, without what is the default anyway."""
    item = {
        "name": layer.name,
        "people": [person.username for person in layer.people],
        "starts_on": layer.starts_on.isoformat(),
        "handover": layer.handover_time.isoformat(
            "seconds" if layer.handover_time.second else "minutes"
        ),
        "weekday": layer.handover_weekday,
        "shift_days": layer.shift_days,
        "shift_hours": layer.shift_hours,
        "zone": layer.zone,
        "hours": Hours.normal(layer.restrictions),
    }
    return {name: value for name, value in item.items() if value != LAYER.fields[name].default}


def _write_schedule(change: Change, hand: Hand) -> None:
    item = change.after
    team = require_row(Team, change.key)
    schedule = set_schedule(team=team, zone=item["zone"], name=item["name"], **hand.by)
    # A changed zone of the schedule is also that of every layer that names no other.
    if change.differs("layers", "zone"):
        layers = [_layer_spec(layer) for layer in item["layers"]]
        publish_schedule(schedule=schedule, layers=layers, **hand.because)


def _layer_spec(layer: Item) -> LayerSpec:
    values: dict[str, Any] = {
        name: layer[name] for name in ("shift_days", "shift_hours", "zone") if name in layer
    }
    return LayerSpec(
        name=layer["name"],
        people=[require_row(Person, username, "username") for username in layer["people"]],
        starts_on=date.fromisoformat(layer["starts_on"]),
        handover_time=time.fromisoformat(layer["handover"]),
        handover_weekday=layer.get("weekday", 0),
        restrictions=parse_hours("\n".join(layer.get("hours", []))),
        **values,
    )


def _check(item: Item, path: str, reading: Reading) -> None:
    for number, layer in enumerate(item.get("layers", []), start=1):
        place = f"{path}.layers.{number}"
        if not layer.get("people"):
            reading.wrong_at(f"{place}.people", "Name the people in the order of their turns.")
        if ("shift_days" in layer) == ("shift_hours" in layer):
            reading.wrong_at(place, "Give the length of a shift in shift_days or in shift_hours.")


def _settled(item: Item) -> Item:
    """A layer in the schedule's own zone names none."""
    layers = [
        {name: value for name, value in layer.items() if (name, value) != ("zone", item["zone"])}
        for layer in item["layers"]
    ]
    return {**item, "layers": layers}


SCHEDULES = Section(
    name="schedules",
    kind="schedule",
    of="team",
    record=Record(
        {
            "name": Field(Text(200, may_be_empty=False), default=""),
            "zone": Field(ZONE),
            "layers": Field(Many(LAYER), default=[]),
        },
        whole=False,
    ),
    present=_schedules,
    write=_write_schedule,
    check=_check,
    settle=_settled,
)
