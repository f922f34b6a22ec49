"""Webhooks: a signed JSON event posted to another system, after the Standard Webhooks rules."""

import threading
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import Final

import orjson
from standardwebhooks import Webhook

from notifications import outbound
from notifications.channels.message import OutgoingMessage, SendResult

REST_S: Final = 30.0
"""How long a receiver that did not answer is left alone, so that it holds no lane of others."""
_DETAIL_MAX: Final = 200


class WebhookChannel:
    """Posts events; a receiver that hangs is tried by one message at a time until it answers."""

    def __init__(self, rest_s: float = REST_S) -> None:
        self._rest_s = rest_s
        self._lock = threading.Lock()
        self._resting: dict[str, float] = {}

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        """Post the message's event. Only what says that it never will be taken is final."""
        if (wait_s := self._turn(address)) > 0:
            return SendResult(
                ok=False,
                detail="Not tried: the receiver did not answer a moment ago.",
                retry_after_s=wait_s,
            )
        body = orjson.dumps(message.event, option=orjson.OPT_SORT_KEYS)
        try:
            answer = outbound.post(
                address, body=body, headers=signed(message, body), deadline_s=deadline_s
            )
        except outbound.Unsafe as problem:
            return SendResult(ok=False, permanent=True, detail=str(problem))
        except OSError as problem:
            self._hold(address)
            return SendResult(ok=False, detail=_one_line(f"{type(problem).__name__}: {problem}"))
        with self._lock:
            self._resting.pop(address, None)
        return result_of(answer)

    def rest(self) -> None:
        """Nothing is kept: each event has a connection of its own."""

    def _turn(self, address: str) -> float:
        """Seconds to wait; 0 for the one whose turn it is, who keeps the others away meanwhile."""
        with self._lock:
            until = self._resting.get(address)
            if until is None:
                return 0.0
            left_s = until - monotonic()
            if left_s <= 0:
                self._resting[address] = monotonic() + self._rest_s
            return max(0.0, left_s)

    def _hold(self, address: str) -> None:
        with self._lock:
            self._resting[address] = monotonic() + self._rest_s


def signed(message: OutgoingMessage, body: bytes) -> dict[str, str]:
    """The headers of one try: the same id on each try, so that the receiver can tell a repeat."""
    now = datetime.now(UTC)
    signature = Webhook(message.secret).sign(message.key, now, body.decode())
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": message.key,
        "webhook-id": message.key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def result_of(answer: outbound.Answer) -> SendResult:
    """What an answer means: 2xx is taken, a redirect and "gone" are final, the rest comes again."""
    status = answer.status
    if 200 <= status < 300:
        return SendResult(ok=True, detail=f"HTTP {status}")
    if 300 <= status < 400:
        return SendResult(
            ok=False,
            permanent=True,
            detail=f"HTTP {status}: redirects are not followed; name the final address.",
        )
    words = _one_line(answer.body.decode("utf-8", "replace"))
    return SendResult(
        ok=False,
        permanent=status == HTTPStatus.GONE,
        detail=f"HTTP {status} {words}".strip(),
        retry_after_s=answer.retry_after_s,
    )


def _one_line(text: str) -> str:
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return folded[:_DETAIL_MAX]
