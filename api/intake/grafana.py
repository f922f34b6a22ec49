"""Reads Grafana's webhook and checks its signature; pure."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from api.intake import alertmanager
from api.intake.guess import guess
from tickets.incoming import IncomingAlert

SIGNATURE: Final = "X-Grafana-Alerting-Signature"
STATES: Final = {"DatasourceNoData": "no data", "DatasourceError": "error"}
"""What Grafana itself says of a rule that it cannot judge, by alert name."""


def parse(payload: Any) -> list[IncomingAlert]:
    """The alerts of one webhook; a payload template of somebody's own is read as any JSON.

    Raises NotUnderstood.
    """
    if isinstance(payload, dict) and not isinstance(payload.get("alerts"), list):
        return guess(payload)
    return alertmanager.parse(payload)


def is_signed(
    headers: Mapping[str, str], body: bytes, secret: str, timestamp_header: str = ""
) -> bool:
    """Whether the body carries Grafana's signature with this secret.

    It is the bare hex HMAC-SHA256 of the body, or of `timestamp:body` when a header with the time
    is named in Grafana's settings.
    """
    given = headers.get(SIGNATURE, "").strip().lower()
    stamp = headers.get(timestamp_header, "") if timestamp_header else ""
    signed = stamp.encode() + b":" + body if stamp else body
    wanted = hmac.new(secret.encode(), signed, sha256).hexdigest()
    return hmac.compare_digest(given.encode(), wanted.encode())
