"""A letter: what to tell whom, why, and how loudly."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Final

from roles.values import named_value

VEILED: Final[Mapping[str, Any]] = {"veiled": True}
"""As its `data`, marks a letter to people who may not know which case it is about: whoever looks
after the outbox is not shown its topic and cause either."""


@named_value
class Letter:
    """What to tell whom and why; the caller has written every word that will be read.

    `topic` and `cause` are opaque here. `clearance` is the topic that the reader must be cleared
    for ("" for none); it is checked again at the moment of sending. `priority` runs from 1, the
    most urgent, to 5. Without a `channel` the recipient's own rules choose. `data` may carry `ack`
    (offer an acknowledge link), `links` (labels of further signed links by their action), `url`
    (the path that "Open" leads to), `tables` (what a mail shows below its words), `files` (what
    goes with a mail: `name`, `type`, and `content` in base64) and `method` (the one
    contact method to be used).
    """

    topic: str
    cause: str
    recipient_id: int
    kind: str
    subject: str
    body: str
    urgency: str = "low"
    priority: int = 3
    channel: str = ""
    rung: int = 0
    clearance: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    not_before: datetime | None = None
