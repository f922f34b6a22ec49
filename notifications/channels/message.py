"""What a channel is given and what it answers: the one shape that all channels share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, kw_only=True)
class OutgoingMessage:
    """A message ready to leave: every word and link is final; `key` stays the same on each try.

    `links` are further signed links, each with its label; `language` is the recipient's.
    `ack_token` is the signed right to acknowledge, for buttons, and `reply_code` what a reply by
    text names; `take_url` takes the ticket by the same right. All are "" where nothing can be
    acknowledged. `leave_url` ends such mail for good,
    in one press; "" where it cannot be ended. `tables` stand below the words where there is room,
    each with a `title`, a `head` and `rows` of words; `files` go with a mail, each with its name,
    type and content. `event`, its form and the
    `secret` that signs it are for machines only; `former_secret` signs too while the secret is
    being changed.
    """

    key: str
    topic: str
    kind: str
    urgency: str
    subject: str
    body: str
    ack_url: str = ""
    ack_token: str = field(default="", repr=False)
    take_url: str = ""
    reply_code: str = ""
    open_url: str = ""
    reply_to: str = ""
    leave_url: str = field(default="", repr=False)
    links: Sequence[tuple[str, str]] = ()
    tables: Sequence[Mapping[str, Any]] = ()
    files: Sequence[tuple[str, str, bytes]] = field(default=(), repr=False)
    language: str = "en"
    event: Mapping[str, Any] = field(default_factory=dict)
    secret: str = field(default="", repr=False)
    former_secret: str = field(default="", repr=False)
    shape: str = ""


@dataclass(frozen=True, kw_only=True)
class SendResult:
    """What became of one try; `permanent` says that trying this again is of no use.

    `gone`: the address itself says that it wants nothing any more.
    """

    ok: bool
    permanent: bool = False
    gone: bool = False
    detail: str = ""
    retry_after_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a channel can carry: characters of text, messages a second to one target, buttons."""

    length: int
    per_second: float
    buttons: int


class Channel(Protocol):
    """One road to a person; safe to use from several threads at once."""

    limits: Limits

    @property
    def is_ready(self) -> bool:
        """Whether this site is set up for it."""
        ...

    def clean(self, address: str) -> str:
        """The address as it is kept; raises ValueError, in words for whoever typed it."""
        ...

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        """Hand the message to the provider within `deadline_s` seconds in all.

        A provider's refusal and a broken line come back as a result, not as an exception.
        """
        ...

    def rest(self) -> None:
        """Let go of connections that are kept for the next message."""
        ...
