"""A fault that people report, the problem behind it, and the change that is to end it."""

from config.example.scenes import HOURS, Act, Opening, Scene, pass_on, say, take

PLANNED = {
    "vpn": Scene(
        Opening(
            2.5 * HOURS,
            "mike",
            "VPN drops on the hour for everybody in Newark",
            "It reconnects after half a minute, but calls are gone.",
            service="remote-access",
            impact=2,
            urgency=2,
        ),
        (
            take(2.4 * HOURS, "david"),
            pass_on(2.3 * HOURS, "david", "Site-wide, on the hour", "Two clients, same second."),
            take(2.1 * HOURS, "erik"),
            say(2 * HOURS, "erik", "Known fault of the gateway's software; an update is planned."),
            Act(
                1.9 * HOURS,
                "erik",
                "link",
                {"other": "gateway-fault", "relation": "caused_by"},
            ),
            Act(
                1.85 * HOURS,
                "erik",
                "pend",
                {
                    "status": "pending_change",
                    "reason": "Gateway update, window tonight",
                    "change": "gateway-update",
                },
            ),
        ),
    ),
    "gateway-fault": Scene(
        Opening(
            2.05 * HOURS,
            "erik",
            "VPN gateway renegotiates all sessions on the hour",
            "Seen at two sites since the last update of its software.",
            service="remote-access",
            kind="problem",
            team="network-engineering",
            impact=2,
        ),
        (
            take(2.04 * HOURS, "erik"),
            Act(
                2 * HOURS,
                "erik",
                "diagnose",
                {
                    "cause": "A timer of version 7.2 drops every session at the full hour.",
                    "workaround": "Choose the second gateway in the list of connections.",
                    "is_known_error": True,
                },
            ),
        ),
    ),
    "gateway-update": Scene(
        Opening(
            2.03 * HOURS,
            "erik",
            "Update the VPN gateways to version 7.3",
            "Mends the timer that drops sessions.",
            service="remote-access",
            kind="change",
            team="network-engineering",
            impact=2,
        ),
        (
            take(2.02 * HOURS, "erik"),
            Act(
                2.01 * HOURS,
                "erik",
                "plan_change",
                {
                    "plan": "Drain gateway A, update, put it back; then the same with B.",
                    "test": "Fifty sessions over a full hour without a drop.",
                    "back_out": "Boot both from the image of 7.2, ten minutes each.",
                },
            ),
            Act(1.99 * HOURS, "erik", "submit_change", {}),
            Act(1.9 * HOURS, "rosa", "approve_change", {"reason": "Tonight, after 22:00."}),
        ),
    ),
}
