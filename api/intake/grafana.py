"""Reads Grafana's webhook and checks its signature; pure."""

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from api.intake import alertmanager
from api.intake.guess import guess
from api.intake.reading import any_moment
from tickets.incoming import IncomingAlert

SIGNATURE: Final = "X-Grafana-Alerting-Signature"
STATES: Final = {"DatasourceNoData": "no data", "DatasourceError": "error"}
"""What Grafana itself says of a rule that it cannot judge, by alert name."""

HOLDS_FOR: Final = timedelta(minutes=5)


def parse(payload: Any) -> list[IncomingAlert]:
    """The alerts of one webhook; a payload template of somebody's own is read as any JSON.

    Raises NotUnderstood.
    """
    if isinstance(payload, dict) and not isinstance(payload.get("alerts"), list):
        return guess(payload)
    return alertmanager.parse(payload)


def is_signed(
    headers: Mapping[str, str],
    body: bytes,
    secret: str,
    *,
    now: datetime,
    timestamp_header: str = "",
) -> bool:
    """Whether the body carries Grafana's signature with this secret.

    It is the bare hex HMAC-SHA256 of the body, or of `timestamp:body` when a header with the time
    is named in Grafana's settings; then it holds for minutes only, so that nobody sends it again.
    """
    given = headers.get(SIGNATURE, "").strip().lower()
    stamp = headers.get(timestamp_header, "") if timestamp_header else ""
    if stamp and not _is_of_now(stamp, now):
        return False
    signed = stamp.encode() + b":" + body if stamp else body
    wanted = hmac.new(secret.encode(), signed, sha256).hexdigest()
    return hmac.compare_digest(given.encode(), wanted.encode())


def _is_of_now(stamp: str, now: datetime) -> bool:
    """Whether Unix seconds, as Grafana writes them, are of these minutes."""
    is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) < 16
    at = any_moment(int(stamp)) if is_number else None
    return at is not None and abs(at - now) <= HOLDS_FOR
