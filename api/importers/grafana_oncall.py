"""Translates what the API of Grafana OnCall OSS says into a document of ours; pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.importers.bundle import Bundle, Newcomer, Site, free_slug, shortened
from api.importers.fields import entries, items, moment, text, whole, zone
from api.importers.seating import Roster, Seats, seat
from api.importers.steps import named_apart, told
from api.importers.turns import WEEK_MINUTES, Turns, joined, week_spans
from roles.worktime import Span, local_instant

Account = Mapping[str, Any]
COLLECTIONS: Final = (
    "users",
    "teams",
    "schedules",
    "on_call_shifts",
    "escalation_chains",
    "escalation_policies",
    "integrations",
    "routes",
    "personal_notification_rules",
)
WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
PERIODS_S: Final = {"hourly": 3600, "daily": 86_400, "weekly": 7 * 86_400}
REPEATS: Final = 5
"""How often OnCall begins a chain anew that says to repeat."""
UNTOLD: Final = {
    "notify_person_next_each_time": "people are not told in turn here: name a schedule",
    "notify_user_group": "groups of a chat are not known here",
    "notify_whole_channel": "channels of a chat are not known here",
    "trigger_webhook": "name the webhook in the admin, then add a step that calls it",
    "trigger_action": "name the webhook in the admin, then add a step that calls it",
    "resolve": "nothing is solved because nobody has looked at it",
    "notify_if_num_alerts_in_window": "repeats are watched by a policy of their own here",
    "declare_incident": "add a step that proposes a major incident",
}


def _listed(account: Account, name: str) -> list[Mapping[str, Any]]:
    """A collection: a list, or the API's page with its results."""
    found = account.get(name)
    return list(items(found.get("results") if isinstance(found, Mapping) else found))


def newcomers(account: Account) -> list[Newcomer]:
    """Everybody who can be a person here: whoever has a mail address."""
    return [
        Newcomer(
            name=shortened(text(user, "name", text(user, "username", text(user, "email"))), 200),
            email=text(user, "email"),
            zone=zone(user, "timezone"),
        )
        for user in _listed(account, "users")
        if "@" in text(user, "email")
    ]


def translate(account: Account, site: Site, now: datetime) -> Bundle:
    """The account as teams, schedules, services and policies of ours, and what is left out."""
    bundle = Bundle(site)
    for user in _listed(account, "users"):
        email = text(user, "email").lower()
        if email in site.usernames:
            bundle.emails[text(user, "id")] = email
        elif "@" not in email:
            bundle.leave_out(f"user {text(user, 'username', text(user, 'id'))}", "no mail address")
    told_by = {text(rule, "user_id") for rule in _listed(account, "personal_notification_rules")}
    for ident in sorted(told_by):
        bundle.leave_ways_out(bundle.emails.get(ident, ident))
    owners = {}
    for team in _listed(account, "teams"):
        ident = text(team, "id")
        members = [
            bundle.emails[text(user, "id")]
            for user in _listed(account, "users")
            if ident in entries(user, "teams") and text(user, "id") in bundle.emails
        ]
        owners[ident] = bundle.add_team(text(team, "name", ident), members)
    shifts = {text(shift, "id"): shift for shift in _listed(account, "on_call_shifts")}
    rosters = [_roster(schedule, shifts, bundle, now) for schedule in _listed(account, "schedules")]
    seats = seat([each for each in rosters if each is not None], bundle, owners, now)
    _route(account, _Chains(account, seats, owners, bundle), owners, bundle)
    return bundle


# ---- Schedules ----


def _roster(
    schedule: Mapping[str, Any],
    shifts: Mapping[str, Mapping[str, Any]],
    bundle: Bundle,
    now: datetime,
) -> Roster | None:
    name = text(schedule, "name", text(schedule, "id"))
    if text(schedule, "type") == "ical":
        why = "it comes from a calendar file: import that file on the schedule's page"
        bundle.leave_out(f"schedule {name}", why)
        return None
    place = zone(schedule, "time_zone")
    turns: list[Turns] = []
    stints: list[tuple[str, datetime, datetime]] = []
    for ident in entries(schedule, "shifts"):
        shift = shifts.get(str(ident), {})
        what = f"shift {name}, {text(shift, 'name', str(ident))}"
        if text(shift, "type") in ("single_event", "override"):
            stints += _once(shift, place, bundle)
        elif not _is_over(shift, place, now, what, bundle):
            found, trouble = _turns(shift, place, bundle)
            turns += found
            if trouble:
                bundle.leave_out(what, trouble)
    return Roster(
        id=text(schedule, "id"),
        name=shortened(name),
        zone=place,
        owner=text(schedule, "team_id") or None,
        turns=turns,
        layered=False,
        stints=stints,
    )


def _begin(shift: Mapping[str, Any], name: str, place: str) -> datetime | None:
    """A local time of the shift; with a zone of its own it is brought to the shift's."""
    found = moment(shift, name)
    if found is None:
        return None
    return found.astimezone(ZoneInfo(place)).replace(tzinfo=None) if found.tzinfo else found


def _once(
    shift: Mapping[str, Any], schedule_zone: str, bundle: Bundle
) -> Iterator[tuple[str, datetime, datetime]]:
    place = zone(shift, "time_zone", schedule_zone)
    start, length_s = _begin(shift, "start", place), whole(shift, "duration") or 0
    groups = entries(shift, "rolling_users") or [entries(shift, "users")]
    for ident in groups[0] if isinstance(groups[0], list) else ():
        if start is not None and length_s > 0 and str(ident) in bundle.emails:
            begins = local_instant(ZoneInfo(place), start)
            yield bundle.emails[str(ident)], begins, begins + timedelta(seconds=length_s)


def _is_over(
    shift: Mapping[str, Any], schedule_zone: str, now: datetime, what: str, bundle: Bundle
) -> bool:
    place = zone(shift, "time_zone", schedule_zone)
    until = _begin(shift, "until", place)
    if until is None:
        return False
    ends = local_instant(ZoneInfo(place), until)
    if ends > now:
        why = f"it ends at {ends:%Y-%m-%d %H:%M} UTC, and ours go on: take it out then"
        bundle.leave_out(what, why)
    return ends <= now


def _turns(shift: Mapping[str, Any], schedule_zone: str, bundle: Bundle) -> tuple[list[Turns], str]:
    """The shift as turns, one for each of those who serve together; and why there are none."""
    place = zone(shift, "time_zone", schedule_zone)
    start, columns = _begin(shift, "start", place), _columns(shift, bundle)
    if start is None or not columns:
        return [], "it does not say when it begins, or has people who are not known here"
    frequency, interval = text(shift, "frequency"), whole(shift, "interval") or 1
    if frequency not in PERIODS_S:
        return [], f"turns that come {frequency or 'only once'} cannot be told as weeks or days"
    spans = _hours(shift, start, frequency, interval)
    if spans is None:
        return [], "between its turns there are times without anybody that do not come every week"
    begins = start
    if frequency == "weekly" and shift.get("by_day"):
        first = WEEKDAYS.index(_weekday(text(shift, "week_start", "MO")))
        begins = start - timedelta(days=(start.weekday() - first) % 7)
    length = interval * PERIODS_S[frequency]
    made = [
        Turns(
            name=text(shift, "name", "Shift"),
            people=people,
            begins=begins,
            zone=place,
            days=length // 86_400 if frequency != "hourly" else None,
            hours=length // 3600 if frequency == "hourly" else None,
            spans=spans,
            level=whole(shift, "level") or whole(shift, "priority_level") or 0,
        )
        for people in columns
    ]
    return made, ""


def _columns(shift: Mapping[str, Any], bundle: Bundle) -> list[tuple[str, ...]]:
    """Who takes turns: one list for each of those who serve at the same time.

    None at all where somebody is not known, or where not each turn has as many people.
    """
    if text(shift, "type") == "recurrent_event":
        users = [bundle.emails.get(str(ident)) for ident in entries(shift, "users")]
        return [(email,) for email in users if email] if all(users) else []
    groups = [
        [bundle.emails.get(str(ident)) for ident in group]
        for group in entries(shift, "rolling_users")
        if isinstance(group, list)
    ]
    first = (whole(shift, "start_rotation_from_user_index") or 0) % max(1, len(groups))
    groups = groups[first:] + groups[:first]
    if not groups or len({len(group) for group in groups}) != 1 or not groups[0]:
        return []
    if any(email is None for group in groups for email in group):
        return []
    return [tuple(str(email) for email in column) for column in zip(*groups, strict=True)]


def _weekday(name: str) -> str:
    short = name.upper()[:2]
    return short if short in WEEKDAYS else "MO"


def _hours(
    shift: Mapping[str, Any], start: datetime, frequency: str, interval: int
) -> tuple[Span, ...] | None:
    """The weekly hours of a shift, () for all of the time; None where they are not weekly."""
    length_s = whole(shift, "duration") or 0
    by_day = [WEEKDAYS.index(_weekday(str(day))) for day in entries(shift, "by_day")]
    if not by_day and length_s >= interval * PERIODS_S[frequency]:
        return ()
    if interval != 1 or frequency == "hourly" or length_s < 60:
        return None
    first, minutes = start.hour * 60 + start.minute, round(length_s / 60)
    days = by_day or (range(7) if frequency == "daily" else [start.weekday()])
    if len(list(days)) > 1 and minutes > 1440:
        return None
    return joined(
        span for day in days for span in week_spans(day * 1440 + first, min(minutes, WEEK_MINUTES))
    )


# ---- Chains and routes ----


class _Chains:
    """What escalation chains say, as steps."""

    def __init__(
        self,
        account: Account,
        seats: Seats,
        owners: Mapping[str, str],
        bundle: Bundle,
    ) -> None:
        self._names = {
            text(each, "id"): text(each, "name") for each in _listed(account, "escalation_chains")
        }
        self._rules: dict[str, list[Mapping[str, Any]]] = {}
        for rule in _listed(account, "escalation_policies"):
            self._rules.setdefault(text(rule, "escalation_chain_id"), []).append(rule)
        self._seats, self._owners = seats, owners
        self._bundle = bundle

    def policy(self, ident: str) -> dict[str, Any] | None:
        """The steps of a chain and how they repeat; None where none is left."""
        what = f"escalation chain {self._names.get(ident, ident)}"
        steps: list[dict[str, Any]] = []
        delay_s, gates, repeats = 0, None, 0
        for rule in sorted(
            self._rules.get(ident, ()), key=lambda each: whole(each, "position") or 0
        ):
            kind = text(rule, "type")
            if kind == "wait":
                delay_s += whole(rule, "duration") or 0
            elif kind == "repeat_escalation":
                repeats = REPEATS
            elif kind == "notify_if_time_from_to":
                gates = _gates(rule)
            elif tokens := self._whom(rule, kind, what):
                steps.append(told(tokens, delay_s, gates=gates))
        if not steps:
            return None
        made: dict[str, Any] = {"steps": named_apart(steps), "repeat_limit": repeats}
        return {**made, "repeat_after": "60 s"} if repeats else made

    def _whom(self, rule: Mapping[str, Any], kind: str, what: str) -> list[str]:
        found: list[str] = []
        if kind == "notify_on_call_from_schedule":
            found = self._seats.tokens(text(rule, "notify_on_call_from_schedule"))
        elif kind == "notify_persons":
            people = [
                self._bundle.username(self._bundle.emails.get(str(ident), ""))
                for ident in entries(rule, "persons_to_notify")
            ]
            found = [f"person:{username}" for username in people if username]
        elif kind == "notify_team_members" and (
            team := self._owners.get(text(rule, "notify_to_team_members"))
        ):
            found = [f"team:{team}"]
        if not found:
            why = UNTOLD.get(kind, "nobody whom it tells is known here")
            self._bundle.leave_out(f"{what}, {kind.replace('_', ' ')}", why)
        return found


def _gates(rule: Mapping[str, Any]) -> dict[str, str]:
    """Hours outside of which the following steps wait; OnCall has them in UTC."""
    opens, shuts = text(rule, "notify_if_time_from")[:5], text(rule, "notify_if_time_to")[:5]
    return {"from": opens, "until": shuts, "zone": "UTC", "otherwise": "hold"}


def _route(account: Account, chains: _Chains, owners: Mapping[str, str], bundle: Bundle) -> None:
    """A service for each integration, and a policy for the route that takes everything."""
    routes = _listed(account, "routes")
    for integration in _listed(account, "integrations"):
        name = shortened(text(integration, "name", text(integration, "id")))
        owner = owners.get(text(integration, "team_id"))
        slug = free_slug(name, bundle.services)
        bundle.services[slug] = {"name": name, **({"owner": owner} if owner else {})}
        mine = [each for each in routes if text(each, "integration_id") == text(integration, "id")]
        _explain(mine, name, bundle)
        held = integration.get("default_route")
        chain = text(held, "escalation_chain_id") or next(
            (text(each, "escalation_chain_id") for each in mine if _takes_all(each)), ""
        )
        policy = chains.policy(chain) if chain else None
        if policy is None:
            bundle.leave_out(f"integration {name}", "its default route tells nobody")
            continue
        bundle.policies[free_slug(f"oncall {name}", bundle.policies)] = {
            "name": name,
            "conditions": [{"fact": "service", "is": slug}],
            **policy,
        }


def _takes_all(route: Mapping[str, Any]) -> bool:
    return bool(route.get("is_the_last_route") or route.get("is_default"))


def _explain(routes: Sequence[Mapping[str, Any]], name: str, bundle: Bundle) -> None:
    for route in routes:
        if not _takes_all(route):
            asked = text(route, "routing_regex", text(route, "routing_type"))
            why = "a policy cannot ask what an alert's text says: write it as a rule of the source"
            bundle.leave_out(f"route of {name} for {asked[:80]}", why)
