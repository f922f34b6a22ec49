"""What the teams of the example site ask for before they take work from another team."""

from typing import Any

TRIED = {"slug": "tried", "name": "What was tried, with which result"}


def optional(slug: str, name: str) -> dict[str, Any]:
    return {"slug": slug, "name": name, "required": False}


# (from, "" for anybody; to; what it needs, in the order in which it is asked)
CONTRACTS: tuple[tuple[str, str, tuple[dict[str, Any], ...]], ...] = (
    (
        "",
        "network-engineering",
        (
            TRIED,
            optional("impact", "Affected sites and people"),
            optional("trace", "Trace from both ends"),
            optional("last-change", "Last change"),
        ),
    ),
    (
        "",
        "application-support",
        (
            TRIED,
            optional("example", "An example record, and how to repeat it"),
            optional("logs", "Logs of the failing call"),
        ),
    ),
    (
        "",
        "database-administration",
        (
            TRIED,
            optional("statements", "Slow statements, with plans and locks"),
            optional("workaround", "Workaround, if there is one"),
        ),
    ),
    (
        "",
        "platform-engineering",
        (
            TRIED,
            optional("timeline", "Deployments and alerts around the time it began"),
            optional("workaround", "Workaround, if there is one"),
        ),
    ),
    ("", "incident-management", (optional("decision", "The decision that is wanted"),)),
    ("", "security-operations", (optional("seen", "What was seen, where and when"),)),
    ("network-engineering", "meridian-carrier", (TRIED, optional("circuit", "Circuit number"))),
)
