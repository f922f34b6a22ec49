"""Webhooks: a signed JSON event posted to another system, after the Standard Webhooks rules."""

import hmac
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import orjson
from standardwebhooks import Webhook

from notifications import outbound
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.pacing import REST_S, Breaker
from notifications.channels.words import one_line

PAGERDUTY: Final = "pagerduty"
"""The form whose receivers look for a signature of their own kind."""
MOVED: Final = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_DETAIL_MAX: Final = 200


class WebhookChannel:
    """Posts events; a receiver that hangs is tried by one message at a time until it answers."""

    limits = Limits(length=64 * 1024, per_second=50.0, buttons=0)

    def __init__(self, rest_s: float = REST_S) -> None:
        self._breaker = Breaker(rest_s)

    @property
    def is_ready(self) -> bool:
        return True

    def clean(self, address: str) -> str:
        return outbound.place_of(address).url

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        """Post the message's event. Only what says that it never will be taken is final."""
        if (wait_s := self._breaker.wait_s(address)) > 0:
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
            self._breaker.hold(address)
            return SendResult(ok=False, detail=_line(f"{type(problem).__name__}: {problem}"))
        self._breaker.heal(address)
        return result_of(answer)

    def rest(self) -> None:
        """Nothing is kept: each event has a connection of its own."""


def signed(message: OutgoingMessage, body: bytes) -> dict[str, str]:
    """The headers of one try: the same id on each try, so that the receiver can tell a repeat."""
    now = datetime.now(UTC)
    secrets = [secret for secret in (message.secret, message.former_secret) if secret]
    signatures = [Webhook(secret).sign(message.key, now, body.decode()) for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": message.key,
        "webhook-id": message.key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    if message.shape == PAGERDUTY:
        signed_so = [hmac.new(each.encode(), body, "sha256").hexdigest() for each in secrets]
        headers["X-PagerDuty-Signature"] = ",".join(f"v1={digest}" for digest in signed_so)
        headers["X-Webhook-Id"] = message.key
    return headers


def result_of(answer: outbound.Answer) -> SendResult:
    """What an answer means: 2xx is taken, "moved" and "gone" are final, the rest comes again.

    A redirect that says itself that it is for now is a log-in or a maintenance page as a rule.
    """
    status = answer.status
    if 200 <= status < 300:
        return SendResult(ok=True, detail=f"HTTP {status}")
    if 300 <= status < 400:
        return SendResult(
            ok=False,
            permanent=status in MOVED,
            detail=f"HTTP {status}: redirects are not followed; name the final address.",
        )
    words = _line(answer.body.decode("utf-8", "replace"))
    return SendResult(
        ok=False,
        permanent=status == HTTPStatus.GONE,
        gone=status == HTTPStatus.GONE,
        detail=f"HTTP {status} {words}".strip(),
        retry_after_s=answer.retry_after_s,
    )


def _line(text: str) -> str:
    return one_line(text, _DETAIL_MAX + 1).removesuffix("…")[:_DETAIL_MAX]
