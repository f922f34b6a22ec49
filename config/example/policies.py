"""The escalation policies of the example site, in the order in which they are tried."""

from typing import Any, NamedTuple

from config.example.catalog import DEMO_SERVICE
from config.example.promises import FIRST_RESPONSE, HOUR, RESOLUTION


def unacknowledged(delay_s: int, name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """A step for a ticket that nobody has acknowledged in its present team."""
    return {
        "name": name,
        "trigger": "unacknowledged",
        "delay_s": delay_s,
        "actions": list(actions),
    }


def percent(clock: str, share: int, name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """A step at a percentage of a clock."""
    return {
        "name": name,
        "trigger": "clock_percent",
        "clock": clock,
        "percent": share,
        "actions": list(actions),
    }


def in_status(status: str, delay_s: int, name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """A step for a ticket that has stayed in a status."""
    return {
        "name": name,
        "trigger": "in_status",
        "status": status,
        "delay_s": delay_s,
        "actions": list(actions),
    }


def since_start(delay_s: int, name: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """A step so long after the policy began, whatever the ticket's state."""
    return {
        "name": name,
        "trigger": "since_start",
        "delay_s": delay_s,
        "basis": "wall",
        "actions": list(actions),
    }


def page(*targets: str) -> dict[str, Any]:
    return {"do": "page", "to": list(targets)}


def notify(*targets: str) -> dict[str, Any]:
    return {"do": "notify", "to": list(targets)}


def involve(*targets: str) -> dict[str, Any]:
    return {"do": "involve", "to": list(targets)}


UP = {"do": "move", "to": "next_tier"}
INCIDENT_MANAGER = "duty:incident-manager"


class ExamplePolicy(NamedTuple):
    """One policy: its name, what it is for, when it applies, and its steps."""

    name: str
    description: str
    conditions: tuple[dict[str, Any], ...]
    steps: tuple[dict[str, Any], ...]
    repeat_limit: int = 0
    repeat_after_s: int = 600
    mode: str = "main"
    stop_on: tuple[str, ...] = ()


POLICIES = {
    "live-climb": ExamplePolicy(
        "Live example: climb",
        "The outage policy with seconds for minutes: L1, L2, L3, then the incident manager.",
        ({"fact": "service", "is": DEMO_SERVICE}, {"fact": "priority", "is": [1]}),
        (
            unacknowledged(3, "Page who is on call", page("on_call")),
            unacknowledged(12, "Tell the team lead", notify("lead")),
            unacknowledged(22, "Pass to the next tier", UP),
            unacknowledged(
                27,
                "Page the incident manager, inform the manager",
                page(INCIDENT_MANAGER),
                involve("manager"),
            ),
            percent(RESOLUTION, 100, "Target missed: tell the owner's lead", notify("lead")),
        ),
    ),
    "live-clocks": ExamplePolicy(
        "Live example: clocks",
        "Warns as a deadline comes near, and passes the ticket on when it is missed.",
        ({"fact": "service", "is": DEMO_SERVICE},),
        (
            percent(FIRST_RESPONSE, 50, "First word is due soon", notify("on_call")),
            percent(FIRST_RESPONSE, 100, "First word is late", notify("lead")),
            percent(RESOLUTION, 75, "Deadline comes near", notify("lead", "assignee")),
            percent(
                RESOLUTION, 100, "Deadline missed: pass on", UP, page("on_call"), involve("manager")
            ),
        ),
    ),
    "security": ExamplePolicy(
        "Security",
        "Security incidents and every restricted case: security on call, then the CISO. Only "
        "cleared people are told.",
        ({"fact": "kind", "is": "security"},),
        (
            unacknowledged(0, "Page security on call", page("on_call:security-operations")),
            unacknowledged(600, "Page the whole security team", page("team:security-operations")),
            unacknowledged(1200, "Page the CISO", page("duty:ciso")),
            percent(RESOLUTION, 50, "Half of the time is gone", notify("assignee", "lead")),
            percent(RESOLUTION, 100, "Target missed: CISO", involve("duty:ciso")),
            since_start(
                4 * HOUR,
                "Still open: executives and legal",
                involve("duty:executive", "duty:legal"),
            ),
        ),
        repeat_limit=2,
    ),
    "restricted": ExamplePolicy(
        "Restricted cases",
        "Whatever else a restricted case is: security on call, the CISO, then executives and "
        "legal. Only cleared people are told.",
        ({"fact": "restricted", "is": True},),
        (
            unacknowledged(0, "Page security on call", page("on_call:security-operations")),
            unacknowledged(1200, "Page the CISO", page("duty:ciso")),
            since_start(
                4 * HOUR,
                "Still open: executives and legal",
                involve("duty:executive", "duty:legal"),
            ),
        ),
    ),
    "outage": ExamplePolicy(
        "Outage",
        "P1 and P2: page at once, climb every ten minutes, incident manager after L3. Wall time, "
        "day and night.",
        ({"fact": "priority", "is": [1, 2]},),
        (
            unacknowledged(0, "Page who is on call", page("on_call")),
            unacknowledged(300, "Page the team lead too", page("on_call", "lead")),
            unacknowledged(600, "Pass to the next tier", UP, page("on_call")),
            unacknowledged(
                900,
                "Page the incident manager, inform the manager",
                page(INCIDENT_MANAGER),
                involve("manager"),
            ),
            percent(RESOLUTION, 50, "Half of the time is gone", notify("assignee", "lead")),
            percent(
                RESOLUTION, 75, "Deadline comes near", page(INCIDENT_MANAGER), involve("manager")
            ),
            percent(
                RESOLUTION,
                100,
                "Target missed: executive and stakeholders",
                involve("duty:executive", "manager"),
                notify("duty:communication-coordinator"),
            ),
            in_status(
                "pending_requester", 3600, "The requester is silent", notify("assignee", "owner")
            ),
        ),
        repeat_limit=2,
    ),
    "vendor": ExamplePolicy(
        "Vendor",
        "Lines and other things that a vendor repairs: reminds us to chase it, and calls in "
        "authority before our own deadline.",
        ({"fact": "service", "is": "network"}, {"fact": "priority", "is": [3, 4, 5]}),
        (
            unacknowledged(1800, "Remind who is on call", page("on_call")),
            unacknowledged(3600, "Pass to the next tier", UP, notify("on_call")),
            in_status("pending_vendor", 4 * HOUR, "Chase the vendor", notify("assignee", "lead")),
            in_status(
                "pending_vendor",
                8 * HOUR,
                "Escalate at the vendor",
                page("on_call:meridian-carrier"),
                involve("manager"),
            ),
            percent(RESOLUTION, 90, "Vendor is late: manager", involve("manager")),
        ),
    ),
    "standard": ExamplePolicy(
        "Standard",
        "Everything else, in the team's working hours: remind, pass on, tell the lead before a "
        "deadline and the manager after it.",
        (),
        (
            unacknowledged(3600, "Remind who is on call", notify("on_call")),
            unacknowledged(2 * HOUR, "Tell the team lead", notify("lead")),
            unacknowledged(4 * HOUR, "Pass to the next tier", UP, notify("on_call")),
            percent(FIRST_RESPONSE, 75, "First response is due soon", notify("on_call", "lead")),
            percent(RESOLUTION, 75, "Deadline comes near", notify("assignee", "lead")),
            percent(RESOLUTION, 100, "Target missed: pass on", UP, involve("manager")),
            in_status(
                "pending_requester", 16 * HOUR, "The requester is silent", notify("assignee")
            ),
        ),
    ),
}
