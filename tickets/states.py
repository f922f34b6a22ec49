"""The one table of legal status changes; FSM methods and the trigger are tested against it."""

from typing import Final

NEW: Final = "new"
WAITING: Final = "waiting_for_support"
IN_PROGRESS: Final = "in_progress"
PENDING_REQUESTER: Final = "pending_requester"
PENDING_VENDOR: Final = "pending_vendor"
PENDING_CHANGE: Final = "pending_change"
RESOLVED: Final = "resolved"
CLOSED: Final = "closed"
CANCELLED: Final = "cancelled"

PENDING: Final = frozenset({PENDING_REQUESTER, PENDING_VENDOR, PENDING_CHANGE})
OPEN: Final = frozenset({NEW, WAITING, IN_PROGRESS}) | PENDING
FINAL: Final = frozenset({CLOSED, CANCELLED})
ALL: Final = OPEN | {RESOLVED} | FINAL

LABELS: Final = {
    NEW: "New",
    WAITING: "Waiting for support",
    IN_PROGRESS: "In progress",
    PENDING_REQUESTER: "Waiting for requester",
    PENDING_VENDOR: "Waiting for vendor",
    PENDING_CHANGE: "Waiting for change",
    RESOLVED: "Resolved",
    CLOSED: "Closed",
    CANCELLED: "Cancelled",
}

LEGAL: Final = (
    frozenset({(NEW, WAITING), (WAITING, IN_PROGRESS), (IN_PROGRESS, WAITING)})
    | {(IN_PROGRESS, pending) for pending in PENDING}
    | {(pending, IN_PROGRESS) for pending in PENDING}
    | {(status, RESOLVED) for status in OPEN}
    | {(status, CANCELLED) for status in OPEN}
    | {(RESOLVED, CLOSED), (RESOLVED, WAITING)}
)
"""Every (from, to) that domain.md §2 allows; anything else is refused on all floors."""


def path(start: str, goal: str) -> list[str]:
    """The shortest list of statuses that leads legally from `start` to `goal`, `goal` last.

    Empty when they are the same. Raises ValueError when no legal way exists (from a final status).
    """
    if start == goal:
        return []
    ways: list[list[str]] = [[start]]
    seen = {start}
    while ways:
        way = ways.pop(0)
        for source, target in sorted(LEGAL):
            if source != way[-1] or target in seen:
                continue
            if target == goal:
                return [*way[1:], target]
            if target in OPEN | {RESOLVED}:
                seen.add(target)
                ways.append([*way, target])
    raise ValueError(f"no legal way from {start} to {goal}")
