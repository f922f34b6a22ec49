"""Where upper floors plug in: who is cleared, what a dead letter means, what is sent."""

from collections.abc import Callable, Mapping
from datetime import datetime

from notifications.models import Message

ClearanceCheck = Callable[[str, int], bool]
DeadHook = Callable[[Message, datetime], None]

clearance_checks: dict[str, ClearanceCheck] = {}
dead_hooks: list[DeadHook] = []
message_kinds: dict[str, str] = {}
"""Each kind of message that this product sends, with what it tells of."""
event_types: dict[str, str] = {}
"""Each type of event that a hook may subscribe to, with what it tells of."""


def name_kinds(kinds: Mapping[str, str]) -> None:
    """Make known which messages a floor sends, so that a site can word them itself."""
    message_kinds.update(kinds)


def name_events(types: Mapping[str, str]) -> None:
    """Make known which events there are for other systems."""
    event_types.update(types)


def register_clearance(prefix: str, check: ClearanceCheck) -> None:
    """Let `check(topic, person_id)` decide, at send time, on clearances that read "prefix:…"."""
    clearance_checks[prefix] = check


def is_cleared(message: Message) -> bool:
    """Whether the recipient may read the message now; a clearance nobody knows is refused."""
    if not message.clearance:
        return True
    check = clearance_checks.get(message.clearance.partition(":")[0])
    return check is not None and check(message.clearance, message.recipient_id)


def on_dead(callback: DeadHook) -> DeadHook:
    """Have `callback(message, now)` called in the transaction that buries a message.

    It runs before the message's row is locked, so that it may lock tickets; the message's
    `finished_reason` tells why. If it raises, the burial is undone and comes again after the
    lease. An alarm that dies comes here too: do not answer it with one more message to the same
    address.
    """
    if callback not in dead_hooks:
        dead_hooks.append(callback)
    return callback


def announce_dead(message: Message, now: datetime) -> None:
    """Tell everybody who asked that this message is being buried."""
    for callback in dead_hooks:
        callback(message, now)
