"""Translates an Opsgenie backup, folder by folder, into a document of ours; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from api.importers.bundle import Bundle, Newcomer, Site, free_slug, shortened
from api.importers.fields import inner, instant, items, text, whole, zone
from api.importers.routing import conditions_of
from api.importers.seating import Roster, Seats, seat
from api.importers.steps import named_apart, told
from api.importers.turns import WEEK_MINUTES, Turns, joined, local, week_spans
from roles.worktime import Span

Backup = Mapping[str, Sequence[Mapping[str, Any]]]
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNITS_S: Final = {"minutes": 60, "hours": 3600, "days": 86_400}
UNMAPPED: Final = {
    "integrations": "give each sender a source of its own: manage.py create_source",
    "policies": "alert policies change alerts on their way in: write them as rules of the source",
    "policiesV2": "alert policies change alerts on their way in: write them as rules of the source",
    "maintenance": "set the windows on the source",
    "forwardings": "make them overrides of the schedules",
    "customUserRoles": "rights follow teams and duties here",
}
PEOPLE_ONLY: Final = (
    "a turn in it belongs to no single person, and without it all turns would be others"
)


def newcomers(backup: Backup) -> list[Newcomer]:
    """Everybody who can be a person here: whoever has a mail address and is not blocked."""
    return [
        Newcomer(
            name=shortened(text(user, "fullName", text(user, "username")), 200),
            email=text(user, "username"),
            zone=zone(user, "timeZone", zone(user, "timezone")),
        )
        for user in _unwrapped(backup, "users", "user")
        if "@" in text(user, "username") and not user.get("blocked")
    ]


def _unwrapped(backup: Backup, folder: str, name: str) -> Iterator[Mapping[str, Any]]:
    """The objects of a folder; each file has one inside a member, or is it itself."""
    for each in items(backup.get(folder)):
        held = each.get(name)
        yield held if isinstance(held, Mapping) else each


def translate(backup: Backup, site: Site, now: datetime) -> Bundle:
    """The backup as teams, schedules, services and policies of ours, and what is left out."""
    bundle = Bundle(site)
    bundle.emails = {
        key: text(user, "username").lower()
        for user in _unwrapped(backup, "users", "user")
        for key in (text(user, "id"), text(user, "username").lower())
        if key
    }
    for user in _unwrapped(backup, "users", "user"):
        if user.get("blocked") or "@" not in text(user, "username"):
            why = "blocked" if user.get("blocked") else "no mail address"
            bundle.leave_out(f"user {text(user, 'username', text(user, 'id'))}", why)
    for each in items(backup.get("users")):
        if any(items(each.get("notificationRuleList"))):
            bundle.leave_ways_out(text(inner(each, "user"), "username", "somebody"))
    owners = _teams(backup, bundle)
    rosters = [_roster(each, bundle, now) for each in items(backup.get("schedules"))]
    seats = seat([each for each in rosters if each is not None], bundle, owners, now)
    by_name = {each.name: each.id for each in rosters if each is not None}
    ladders = _Ladders(backup, seats, owners, by_name, bundle)
    _route(backup, owners, ladders, bundle)
    for folder, why in UNMAPPED.items():
        for each in items(backup.get(folder)):
            named = next(
                (inner(each, n) for n in ("integration", "policy") if inner(each, n)), each
            )
            bundle.leave_out(f"{folder} {text(named, 'name', text(named, 'id', '(no name)'))}", why)
    return bundle


def _teams(backup: Backup, bundle: Bundle) -> dict[str, str]:
    """Slugs of the teams by their id and by their name."""
    found = {}
    for team in _unwrapped(backup, "teams", "team"):
        members, admins = [], []
        for member in items(team.get("members")):
            user = inner(member, "user")
            email = bundle.emails.get(text(user, "id")) or text(user, "username").lower()
            members.append(email)
            if text(member, "role").lower() == "admin":
                admins.append(email)
        name = text(team, "name", text(team, "id"))
        lead = next((email for email in admins if bundle.username(email)), None)
        slug = bundle.add_team(name, members, lead=lead)
        found[text(team, "id")] = found[name] = slug
    return found


# ---- Schedules ----


def _roster(held: Mapping[str, Any], bundle: Bundle, now: datetime) -> Roster | None:
    schedule = inner(held, "schedule") or held
    name = text(schedule, "name", text(schedule, "id"))
    if schedule.get("enabled") is False:
        bundle.leave_out(f"schedule {name}", "it is switched off")
        return None
    place = zone(schedule, "timezone")
    turns = [
        _turns(rotation, place, f"rotation {name}, {_named(rotation)}", bundle, now)
        for rotation in items(schedule.get("rotations"))
    ]
    stints = []
    for each in items(held.get("scheduleOverrideList")):
        start, end = instant(each, "startDate"), instant(each, "endDate")
        user = inner(each, "user")
        email = bundle.emails.get(text(user, "id")) or text(user, "username").lower()
        if start and end:
            stints.append((email, start, end))
    return Roster(
        id=text(schedule, "id", name),
        name=shortened(name),
        zone=place,
        owner=text(inner(schedule, "ownerTeam"), "id") or None,
        turns=[each for each in turns if each is not None],
        layered=False,
        stints=stints,
    )


def _named(rotation: Mapping[str, Any]) -> str:
    return text(rotation, "name", text(rotation, "id", "Rotation"))


def _turns(
    rotation: Mapping[str, Any],
    place: str,
    what: str,
    bundle: Bundle,
    now: datetime,
) -> Turns | None:
    starts, ends = instant(rotation, "startDate"), instant(rotation, "endDate")
    if ends is not None and ends <= now:
        return None
    people = _participants(rotation, bundle)
    kind, length = text(rotation, "type").lower(), whole(rotation, "length") or 1
    if people is None or starts is None or kind not in ("hourly", "daily", "weekly"):
        why = PEOPLE_ONLY if people is None else "it does not say when or how its turns change"
        bundle.leave_out(what, why)
        return None
    if not people:
        bundle.leave_out(what, "nobody is in it")
        return None
    if ends is not None:
        why = f"it ends at {ends:%Y-%m-%d %H:%M} UTC, and ours go on: take it out then"
        bundle.leave_out(what, why)
    return Turns(
        name=_named(rotation),
        people=people,
        begins=local(starts, place),
        zone=place,
        days={"daily": length, "weekly": 7 * length}.get(kind),
        hours=length if kind == "hourly" else None,
        spans=hours_of(inner(rotation, "timeRestriction")),
    )


def _participants(rotation: Mapping[str, Any], bundle: Bundle) -> tuple[str, ...] | None:
    """The mail addresses in their order; None where a turn is not one known person's."""
    found = []
    for each in items(rotation.get("participants")):
        email = bundle.emails.get(text(each, "id")) or text(each, "username").lower()
        if text(each, "type", "user") != "user" or bundle.username(email) is None:
            return None
        found.append(email)
    return tuple(found)


def hours_of(restriction: Mapping[str, Any]) -> tuple[Span, ...]:
    """A time restriction as weekly hours; none for all of the time.

    By weekday it is one stretch from the first day's time to the last day's, nights included.
    """
    spans: list[Span] = []
    if text(restriction, "type") == "weekday-and-time-of-day":
        for each in items(restriction.get("restrictions")):
            start = _minute(each, "start", text(each, "startDay"))
            end = _minute(each, "end", text(each, "endDay"))
            spans += week_spans(start, (end - start) % WEEK_MINUTES or WEEK_MINUTES)
    elif each := inner(restriction, "restriction"):
        start, end = _minute(each, "start", ""), _minute(each, "end", "")
        for day in range(7):
            spans += week_spans(day * 1440 + start, (end - start) % 1440 or 1440)
    return joined(spans)


def _minute(each: Mapping[str, Any], edge: str, day: str) -> int:
    number = DAYS.index(day.lower()) if day.lower() in DAYS else 0
    hour, minute = whole(each, f"{edge}Hour") or 0, whole(each, f"{edge}Min") or 0
    return number * 1440 + min(hour, 24) * 60 + min(minute, 59)


# ---- Escalations and routing ----


class _Ladders:
    """What the escalations say, as steps; and whom a recipient is here."""

    def __init__(
        self,
        backup: Backup,
        seats: Seats,
        owners: Mapping[str, str],
        schedules: Mapping[str, str],
        bundle: Bundle,
    ) -> None:
        self._known = {
            key: each
            for each in _unwrapped(backup, "escalations", "escalation")
            for key in (text(each, "id"), text(each, "name"))
        }
        self._seats, self._owners = seats, owners
        self._schedules, self._bundle = schedules, bundle
        self.used: set[str] = set()

    def policy(self, name: str, ident: str) -> dict[str, Any] | None:
        """The steps of an escalation and how they repeat; None where none is left."""
        escalation = self._known.get(ident) or self._known.get(name) or {}
        what = f"escalation {name or ident}"
        self.used.add(text(escalation, "id"))
        steps = []
        for rule in items(escalation.get("rules")):
            tokens = self._whom(rule, what)
            delay = inner(rule, "delay")
            unit = UNITS_S.get(text(delay, "timeUnit", "minutes").lower(), 60)
            is_end = text(rule, "condition") == "if-not-closed"
            if tokens:
                waits_s = (whole(delay, "timeAmount") or 0) * unit
                steps.append(told(tokens, waits_s, until_solved=is_end))
        if not steps:
            return None
        repeat = inner(escalation, "repeat")
        if repeat.get("closeAlertAfterAll"):
            self._bundle.leave_out(what, "nothing is closed because nobody has looked at it")
        return {
            "steps": named_apart(steps),
            "repeat_limit": whole(repeat, "count") or 0,
            "repeat_after": f"{(whole(repeat, 'waitInterval') or 10) * 60} s",
        }

    def on_call(self, name: str, ident: str) -> list[str]:
        """The tokens of a schedule by its id or name."""
        return self._seats.tokens(ident) or self._seats.tokens(self._schedules.get(name, ""))

    def unused(self) -> Iterator[Mapping[str, Any]]:
        """Escalations that no routing rule leads to."""
        told_of = set[str]()
        for each in self._known.values():
            if text(each, "id") not in self.used | told_of:
                told_of.add(text(each, "id"))
                yield each

    def _whom(self, rule: Mapping[str, Any], what: str) -> list[str]:
        recipient = inner(rule, "recipient")
        kind, ident = text(recipient, "type"), text(recipient, "id")
        name, mode = text(recipient, "name"), text(rule, "notifyType", "default")
        if mode in ("next", "previous"):
            self._bundle.leave_out(what, f"{mode} on call of {name}: only who is on call is paged")
            return []
        team = self._owners.get(ident) or self._owners.get(name)
        if kind == "user":
            email = self._bundle.emails.get(ident) or text(recipient, "username", name).lower()
            if username := self._bundle.username(email):
                return [f"person:{username}"]
        elif kind == "schedule" and (tokens := self.on_call(name, ident)):
            return tokens if mode == "default" else [f"team:{t.partition(':')[2]}" for t in tokens]
        elif kind == "team" and team:
            word = {"default": "on_call", "admins": "lead"}.get(mode, "team")
            return [f"{word}:{team}"]
        self._bundle.leave_out(what, f"its recipient {name or ident} is not known here")
        return []


def _route(backup: Backup, owners: Mapping[str, str], ladders: _Ladders, bundle: Bundle) -> None:
    """A service for each team, and one policy for each of its routing rules, in their order."""
    for held in items(backup.get("teams")):
        team = inner(held, "team") or held
        name = shortened(text(team, "name", text(team, "id")))
        rules = sorted(
            items(held.get("teamRoutingRules")),
            key=lambda rule: (bool(rule.get("isDefault")), whole(rule, "order") or 0),
        )
        if not rules:
            continue
        service = free_slug(name, bundle.services)
        bundle.services[service] = {"name": name, "owner": owners[text(team, "id")]}
        for rule in rules:
            _rule(rule, f"{name}, {text(rule, 'name', 'routing rule')}", service, ladders, bundle)
    for each in ladders.unused():
        why = "no routing rule leads to it, so that no ticket would ever match it"
        bundle.leave_out(f"escalation {text(each, 'name', text(each, 'id'))}", why)


def _rule(
    rule: Mapping[str, Any], name: str, service: str, ladders: _Ladders, bundle: Bundle
) -> None:
    what, notify = f"routing rule {name}", inner(rule, "notify")
    conditions, trouble = conditions_of(inner(rule, "criteria"))
    if hours_of(inner(rule, "timeRestriction")):
        trouble = "policies are chosen by what a ticket is, not by the hour: give its steps gates"
    if trouble:
        bundle.leave_out(what, trouble)
        return
    kind, ident, goal = text(notify, "type"), text(notify, "id"), text(notify, "name")
    policy: dict[str, Any] | None = None
    if kind == "schedule" and (tokens := ladders.on_call(goal, ident)):
        policy = {"steps": [told(tokens, 0)]}
    elif kind == "escalation":
        policy = ladders.policy(goal, ident)
    if policy is None:
        why = "it tells nobody" if kind == "none" else f"nobody it tells is known here: {goal}"
        bundle.leave_out(what, why)
        return
    match = [{"fact": "service", "is": service}, *conditions]
    slug = free_slug(f"opsgenie {name}", bundle.policies)
    bundle.policies[slug] = {"name": shortened(name), "conditions": match, **policy}
