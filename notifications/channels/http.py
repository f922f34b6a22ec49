"""One call to a provider over HTTP: paced, held back while it is down, and judged the same way."""

from collections.abc import Mapping
from http import HTTPStatus
from time import monotonic
from typing import Final

import orjson

from notifications import outbound
from notifications.channels.message import OutgoingMessage, SendResult
from notifications.channels.pacing import Breaker, Pace
from notifications.channels.words import one_line

_DETAIL_MAX: Final = 200
FINAL: Final = frozenset({400, 404, 410, 413, 422})
"""Statuses by which a provider says that this message to this address will never be taken."""


class Caller:
    """Calls one kind of provider; safe to use from several threads at once."""

    def __init__(self, per_second: float) -> None:
        self._breaker = Breaker()
        self._pace = Pace(per_second)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        deadline_s: float,
        pace_of: str = "",
    ) -> outbound.Answer | SendResult:
        """The provider's answer, or what to make of there being none.

        The breaker stands for the host, the pace for `pace_of`, by default the address called.
        """
        try:
            target = outbound.place_of(url).name
        except outbound.Unsafe as problem:
            return SendResult(ok=False, permanent=True, detail=str(problem))
        if (wait_s := self._breaker.wait_s(target)) > 0:
            words = "Not tried: the provider did not answer a moment ago."
            return SendResult(ok=False, detail=words, retry_after_s=wait_s)
        begun = monotonic()
        if (wait_s := self._pace.wait_s(pace_of or url)) > 0:
            words = "Not tried: the provider takes no more just now."
            return SendResult(ok=False, detail=words, retry_after_s=wait_s)
        left_s = max(0.1, deadline_s - (monotonic() - begun))  # its turn was waited for
        try:
            answer = outbound.post(url, body=body, headers=headers, deadline_s=left_s)
        except outbound.Unsafe as problem:
            return SendResult(ok=False, permanent=True, detail=str(problem))
        except OSError as problem:
            self._breaker.hold(target)
            words = one_line(f"{type(problem).__name__}: {problem}", _DETAIL_MAX)
            return SendResult(ok=False, detail=words)
        self._breaker.heal(target)
        return answer

    def post_json(
        self, url: str, message: OutgoingMessage, said: object, deadline_s: float
    ) -> outbound.Answer | SendResult:
        """The same for a JSON body under the message's key."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        return self.post(url, body=orjson.dumps(said), headers=headers, deadline_s=deadline_s)


def judge(answer: outbound.Answer | SendResult) -> SendResult:
    """What an answer by status alone means: 2xx is taken, a redirect or a bad request final."""
    if isinstance(answer, SendResult):
        return answer
    status = answer.status
    if 200 <= status < 300:
        return SendResult(ok=True, detail=f"HTTP {status}")
    words = one_line(answer.body.decode("utf-8", "replace"), _DETAIL_MAX)
    return SendResult(
        ok=False,
        permanent=status in FINAL or 300 <= status < 400,
        gone=status == HTTPStatus.GONE,
        detail=f"HTTP {status} {words}".strip(),
        retry_after_s=answer.retry_after_s,
    )
