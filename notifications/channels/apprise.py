"""Everything else that Apprise reaches (ntfy, Telegram, Pushover, Matrix …), as one channel kind.

Apprise calls out by itself, not through our own HTTP client: its addresses are therefore set by
administrators only, in the admin, and nobody may add one on their own page.
"""

import logging

import apprise

from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.pacing import Breaker, Pace
from notifications.channels.words import one_line, several_lines

# Its own log tells of addresses, which hold passwords.
logging.getLogger("apprise").setLevel(logging.CRITICAL)


class AppriseChannel:
    """Hands a message to whatever service an administrator's address names."""

    limits = Limits(length=1000, per_second=1.0, buttons=0)

    def __init__(self) -> None:
        self._breaker = Breaker()
        self._pace = Pace(self.limits.per_second)

    @property
    def is_ready(self) -> bool:
        return True

    def clean(self, address: str) -> str:
        if apprise.Apprise.instantiate(address.strip(), asset=_asset()) is None:
            raise ValueError("An address that Apprise knows, such as ntfy://ntfy.example/alerts.")
        return address.strip()

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        service = apprise.Apprise.instantiate(_timed(address, deadline_s), asset=_asset())
        if service is None:
            return SendResult(ok=False, permanent=True, detail="Apprise knows no such address.")
        for wait_s in (self._breaker.wait_s(address), self._pace.wait_s(address)):
            if wait_s > 0:
                detail = "Not tried: the service takes no more just now."
                return SendResult(ok=False, detail=detail, retry_after_s=wait_s)
        links = [url for url in (message.ack_url, message.open_url) if url]
        body = several_lines("\n".join([message.body, *links]), self.limits.length)
        taken = service.notify(
            title=one_line(message.subject, 200),
            body=body,
            notify_type="failure" if message.urgency == "high" else "info",
        )
        if not taken:
            self._breaker.hold(address)
            return SendResult(ok=False, detail="The service did not take it.")
        self._breaker.heal(address)
        return SendResult(ok=True, detail=type(service).__name__)

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(app_id="Tierline", app_desc="Tierline", async_mode=False)


def _timed(address: str, deadline_s: float) -> str:
    """The address with the time that connecting and reading may each take."""
    half = max(1.0, deadline_s / 2 - 0.5)
    sign = "&" if "?" in address else "?"
    return f"{address}{sign}cto={half:g}&rto={half:g}"
