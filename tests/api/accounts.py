"""One small service as three products tell it: days by the week and nights by the day."""

from typing import Any

PEOPLE = {"U1": "ada", "U2": "bea", "U3": "cid", "U4": "dan"}
ADDRESS = "{}@example.net"


def users(*, mail: str, name: str, zone: str, **more: Any) -> list[dict[str, Any]]:
    """Everybody, with the names that a product has for mail address, name and time zone."""
    return [
        {"id": ident, mail: ADDRESS.format(who), name: who.title(), zone: "Europe/Berlin", **more}
        for ident, who in PEOPLE.items()
    ]


def _layer(name: str, start: str, turn_s: int, opens: str, span_s: int, *who: str) -> dict:
    return {
        "name": name,
        "start": start,
        "end": None,
        "rotation_virtual_start": start,
        "rotation_turn_length_seconds": turn_s,
        "users": [{"user": {"id": each, "type": "user_reference"}} for each in who],
        "restrictions": [
            {
                "type": "daily_restriction",
                "start_time_of_day": opens,
                "duration_seconds": span_s,
            }
        ],
    }


def _ladders() -> list[dict[str, Any]]:
    return [
        {
            "id": "E1",
            "name": "Network",
            "num_loops": 2,
            "teams": [{"id": "T1"}],
            "escalation_rules": [
                {
                    "escalation_delay_in_minutes": 10,
                    "targets": [{"id": "S1", "type": "schedule_reference"}],
                },
                {
                    "escalation_delay_in_minutes": 30,
                    "targets": [{"id": "U2", "type": "user_reference"}],
                },
            ],
        },
        {"id": "E2", "name": "Nobody's", "escalation_rules": []},
    ]


def pagerduty() -> dict[str, Any]:
    """As the REST API v2 answers, each collection under its name."""

    days = _layer("Days", "2026-03-02T09:00:00+01:00", 604_800, "06:00:00", 57_600, "U1", "U2")
    nights = _layer("Nights", "2026-03-02T22:00:00+01:00", 86_400, "22:00:00", 28_800, "U3", "U4")
    return {
        "users": users(mail="email", name="name", zone="time_zone"),
        "teams": [
            {
                "id": "T1",
                "name": "Network",
                "members": [
                    {"user": {"id": "U1"}, "role": "manager"},
                    {"user": {"id": "U2"}, "role": "responder"},
                ],
            }
        ],
        "schedules": [
            {
                "id": "S1",
                "name": "Network on call",
                "time_zone": "Europe/Berlin",
                "teams": [{"id": "T1"}],
                "schedule_layers": [days, nights],
            }
        ],
        "escalation_policies": _ladders(),
        "services": [
            {
                "id": "P1",
                "name": "Routers",
                "description": "All routers",
                "escalation_policy": {"id": "E1"},
                "teams": [],
            }
        ],
        "rulesets": [{"id": "R1", "name": "Default Global"}],
    }


def _rotation(name: str, kind: str, start: str, hours: tuple[int, int], *who: str) -> dict:
    return {
        "name": name,
        "type": kind,
        "length": 1,
        "startDate": start,
        "participants": [
            {"type": "user", "id": each, "username": ADDRESS.format(PEOPLE[each])} for each in who
        ],
        "timeRestriction": {
            "type": "time-of-day",
            "restriction": {
                "startHour": hours[0],
                "startMin": 0,
                "endHour": hours[1],
                "endMin": 0,
            },
        },
    }


def _escalation() -> dict[str, Any]:
    return {
        "id": "E1",
        "name": "Network_escalation",
        "rules": [
            {
                "condition": "if-not-acked",
                "notifyType": "default",
                "delay": {"timeAmount": 0, "timeUnit": "minutes"},
                "recipient": {"type": "schedule", "id": "S1", "name": "Network_schedule"},
            },
            {
                "condition": "if-not-closed",
                "notifyType": "all",
                "delay": {"timeAmount": 1, "timeUnit": "hours"},
                "recipient": {"type": "team", "id": "T1", "name": "Network"},
            },
            {
                "condition": "if-not-acked",
                "notifyType": "next",
                "delay": {"timeAmount": 5, "timeUnit": "minutes"},
                "recipient": {"type": "schedule", "id": "S1", "name": "Network_schedule"},
            },
        ],
        "repeat": {"waitInterval": 20, "count": 3, "closeAlertAfterAll": True},
    }


def _team() -> dict[str, Any]:
    def rule(name: str, order: int, notify: dict[str, str], **more: Any) -> dict[str, Any]:
        return {"name": name, "order": order, "notify": notify, **more}

    critical = {
        "type": "match-all-conditions",
        "conditions": [{"field": "priority", "operation": "equals", "expectedValue": "P1"}],
    }
    odd = {
        "type": "match-all-conditions",
        "conditions": [{"field": "message", "operation": "contains", "expectedValue": "disk"}],
    }
    return {
        "team": {
            "id": "T1",
            "name": "Network",
            "members": [
                {"user": {"id": "U1", "username": "ada@example.net"}, "role": "admin"},
                {"user": {"id": "U2", "username": "bea@example.net"}, "role": "user"},
            ],
        },
        "teamRoutingRules": [
            rule(
                "Everything",
                9,
                {"type": "schedule", "id": "S1", "name": "Network_schedule"},
                isDefault=True,
            ),
            rule(
                "Critical",
                1,
                {"type": "escalation", "id": "E1", "name": "Network_escalation"},
                criteria=critical,
            ),
            rule("Odd", 2, {"type": "none"}, criteria=odd),
        ],
    }


def opsgenie() -> dict[str, list[dict[str, Any]]]:
    """As the backup tool writes it, by folder."""

    schedule = {
        "id": "S1",
        "name": "Network_schedule",
        "timezone": "Europe/Berlin",
        "enabled": True,
        "ownerTeam": {"id": "T1", "name": "Network"},
        "rotations": [
            _rotation("Days", "weekly", "2026-03-02T08:00:00Z", (6, 22), "U1", "U2"),
            _rotation("Nights", "daily", "2026-03-02T21:00:00Z", (22, 6), "U3", "U4"),
        ],
    }
    gone = {"id": "U9", "username": "gone@example.net", "fullName": "Gone", "blocked": True}
    everybody = [*users(mail="username", name="fullName", zone="timeZone"), gone]
    ways = {"notificationRuleList": [{"name": "New Alert", "actionType": "create-alert"}]}
    return {
        "users": [{"user": everybody[0], **ways}, *({"user": each} for each in everybody[1:])],
        "teams": [_team()],
        "schedules": [{"schedule": schedule, "scheduleOverrideList": []}],
        "escalations": [{"escalation": _escalation()}],
        "integrations": [{"integration": {"id": "I1", "name": "Prometheus"}}],
    }


def _shift(ident: str, frequency: str, start: str, duration_s: int, *who: str, **more) -> dict:
    return {
        "id": ident,
        "name": ident,
        "type": "rolling_users",
        "frequency": frequency,
        "interval": 1,
        "start": start,
        "duration": duration_s,
        "rolling_users": [[each] for each in who],
        "time_zone": "Europe/Berlin",
        "level": 1,
        **more,
    }


def oncall() -> dict[str, Any]:
    """As the API of Grafana OnCall answers, each collection under its name."""

    week = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    days = _shift("days", "weekly", "2026-03-02T06:00:00", 57_600, "U1", "U2", by_day=week)
    nights = _shift("nights", "daily", "2026-03-02T22:00:00", 28_800, "U3", "U4")
    people = users(mail="email", name="username", zone="timezone")
    for each in people[:2]:
        each["teams"] = ["T1"]
    rules = [
        {
            "type": "notify_on_call_from_schedule",
            "position": 0,
            "notify_on_call_from_schedule": "S1",
        },
        {"type": "wait", "position": 1, "duration": 600},
        {"type": "notify_persons", "position": 2, "persons_to_notify": ["U2"]},
        {"type": "resolve", "position": 3},
        {"type": "repeat_escalation", "position": 4},
    ]
    return {
        "users": {"count": 4, "results": people},
        "teams": [{"id": "T1", "name": "Network"}],
        "schedules": [
            {
                "id": "S1",
                "name": "Network on call",
                "type": "calendar",
                "team_id": "T1",
                "time_zone": "Europe/Berlin",
                "shifts": ["days", "nights"],
            }
        ],
        "on_call_shifts": [days, nights],
        "escalation_chains": [{"id": "C1", "name": "Network"}],
        "escalation_policies": [{"escalation_chain_id": "C1", **rule} for rule in rules],
        "integrations": [
            {
                "id": "I1",
                "name": "Alertmanager",
                "team_id": "T1",
                "default_route": {"escalation_chain_id": "C1"},
            }
        ],
        "routes": [{"integration_id": "I1", "escalation_chain_id": "C1", "routing_regex": "disk"}],
    }
