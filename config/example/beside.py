"""Policies of the example site beside the main one: each watches for one kind of trouble."""

from typing import Any

from config.example.policies import (
    INCIDENT_MANAGER,
    ExamplePolicy,
    involve,
    notify,
    page,
    percent,
    since_start,
)
from config.example.promises import HOUR, STAKEHOLDER_UPDATE, VENDOR_FIX, VENDOR_RESPONSE

WEEK = 7 * 24 * HOUR


def on_fact(trigger: str, name: str, *actions: dict[str, Any], **about: Any) -> dict[str, Any]:
    """A step on a count, a repeat, a flapping monitor or a silence."""
    return {"name": name, "trigger": trigger, "actions": list(actions), **about}


def beside(name: str, description: str, *steps: dict[str, Any], **about: Any) -> ExamplePolicy:
    conditions = about.pop("conditions", ())
    return ExamplePolicy(name, description, conditions, steps, mode="beside", **about)


OPEN_CASES = ({"fact": "restricted", "is": False},)
OFFICE_TIME = {"from": "08:00", "until": "18:00", "zone": "responder", "otherwise": "hold"}

BESIDE = {
    "repeat-complaints": beside(
        "Repeat complaints",
        "The third ticket of one requester within a week goes "
        "under a problem, so that the cause is looked for and not only the symptom.",
        on_fact(
            "repeated",
            "Third of this requester: gather under a problem",
            {"do": "open_problem"},
            notify("lead"),
            count=3,
            window_s=WEEK,
            same="requester",
        ),
        conditions=(*OPEN_CASES, {"fact": "kind", "is": "incident"}),
    ),
    "ping-pong": beside(
        "Ping-pong",
        "A ticket that comes back to a team that had passed it on: nobody is stopped, and the "
        "incident manager names an owner.",
        on_fact("ping_pong", "Came back: name an owner", page(INCIDENT_MANAGER), count=1),
        conditions=OPEN_CASES,
    ),
    "vendor-overdue": beside(
        "Vendor overdue",
        "A vendor that misses what its contract says is chased, then escalated with.",
        percent(VENDOR_RESPONSE, 100, "No answer from the vendor", notify("assignee", "lead")),
        percent(VENDOR_FIX, 75, "The vendor's time runs out", notify("assignee")),
        percent(VENDOR_FIX, 100, "The vendor is late: call the manager", involve("manager")),
    ),
    "vip": beside(
        "Important requesters",
        "The manager knows from the start, in office hours where the manager lives.",
        {
            **since_start(0, "An important requester waits", notify("manager")),
            "gates": OFFICE_TIME,
        },
        conditions=(*OPEN_CASES, {"fact": "vip", "is": True}),
    ),
    "flapping": beside(
        "Flapping monitor",
        "Alerts that come and go: somebody mends the cause or the threshold.",
        on_fact("flapping", "Six alerts within an hour", notify("lead"), count=6, window_s=HOUR),
        conditions=({"fact": "source", "is": "monitor"},),
    ),
    "reopened": beside(
        "Reopened",
        "Solved twice and still broken: the lead looks at it, then the manager.",
        on_fact("reopened", "Reopened twice", notify("lead"), count=2),
        on_fact("reopened", "Reopened three times", involve("manager"), count=3),
    ),
    "chased": beside(
        "Chased",
        "A requester who has to ask again and again is heard.",
        on_fact("chased", "Asked for the third time", notify("lead", "assignee"), count=3),
        on_fact("chased", "Asked for the fifth time", involve("manager"), count=5),
    ),
    "ack-timeout": beside(
        "Acknowledged and silent",
        "An acknowledgement of an urgent ticket lapses when nothing follows; its pages resume.",
        on_fact(
            "silent",
            "Nothing for half an hour: the acknowledgement lapses",
            {"do": "unacknowledge"},
            notify("assignee", "lead"),
            delay_s=HOUR // 2,
            basis="wall",
        ),
        conditions=(*OPEN_CASES, {"fact": "priority", "is": [1, 2]}),
    ),
    "major": beside(
        "Major incident",
        "Declared: executives and communications know at once, and no word is late.",
        since_start(
            0,
            "Declared: tell executives and communications",
            involve("duty:executive"),
            notify("duty:communication-coordinator"),
        ),
        percent(STAKEHOLDER_UPDATE, 80, "A word is due", notify("duty:communication-coordinator")),
        percent(STAKEHOLDER_UPDATE, 100, "The word is late", page(INCIDENT_MANAGER)),
        conditions=({"fact": "major", "is": True},),
    ),
    "major-proposal": beside(
        "Major incident, proposed",
        "The highest priority for a quarter of an hour: the incident manager decides whether it "
        "is a major incident.",
        {
            **since_start(HOUR // 4, "Propose a major incident", {"do": "propose_major"}),
            "conditions": [{"fact": "major", "is": False}, {"fact": "impact", "is": 1}],
        },
        conditions=(*OPEN_CASES, {"fact": "priority", "is": 1}, {"fact": "kind", "is": "incident"}),
    ),
}
