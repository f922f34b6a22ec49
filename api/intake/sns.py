"""Reads what Amazon SNS posts: notifications, CloudWatch alarms in them, and its confirmations."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from api.intake.guess import guess
from api.intake.reading import NotUnderstood, any_moment, object_of, plain, text
from tickets.incoming import FIRING, RESOLVED, IncomingAlert

AMAZON: Final = re.compile(r"sns(-fips)?\.[a-z0-9-]{4,30}\.amazonaws\.com(\.cn)?")
CONFIRMATIONS: Final = ("SubscriptionConfirmation", "UnsubscribeConfirmation")


def confirmation(payload: Any) -> str:
    """The address that confirms a subscription, if the body asks for that; "" otherwise.

    Nothing is fetched: a person opens it. Raises NotUnderstood when it is none of Amazon's.
    """
    if not isinstance(payload, dict) or payload.get("Type") not in CONFIRMATIONS:
        return ""
    address = text(payload.get("SubscribeURL"))
    if not _leads_to_amazon(address):
        raise NotUnderstood("`SubscribeURL` does not lead to Amazon SNS.")
    return address


def _leads_to_amazon(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # No address at all, or a port that there cannot be.
        return False
    return parts.scheme == "https" and AMAZON.fullmatch(host) is not None and port is None


def parse(payload: Any) -> list[IncomingAlert]:
    """The alert of one notification; an alarm of CloudWatch ends by its own OK.

    A message that no sender gives a state begins an alert that only a person or the source's
    setting ends. Raises NotUnderstood.
    """
    letter = object_of(payload)
    if letter.get("Type", "Notification") != "Notification":
        raise NotUnderstood("`Type` must be Notification.")
    if "Message" not in letter:
        raise NotUnderstood("`Message` is missing.")
    inner = _json(letter["Message"])
    if isinstance(inner, dict) and inner.get("AlarmName"):
        return [_alarm(inner)]
    subject = text(letter.get("Subject"))
    if isinstance(inner, dict):
        try:
            return guess({"subject": subject, **inner} if subject else inner)
        except NotUnderstood:
            pass
    words = text(letter["Message"])
    return [
        IncomingAlert(
            dedup_key=text(letter.get("MessageId")) or f"{subject} {words}"[:512],
            group_key="",
            state=FIRING,
            summary=subject or words[:250],
            starts_at=any_moment(letter.get("Timestamp")),
            details={"topic": text(letter.get("TopicArn"))},
            description=words[:15_000],
        )
    ]


def _alarm(alarm: Mapping[str, Any]) -> IncomingAlert:
    name, state = text(alarm["AlarmName"]), text(alarm.get("NewStateValue"))
    is_over = state == "OK"
    changed_at = any_moment(alarm.get("StateChangeTime"))
    return IncomingAlert(
        dedup_key=text(alarm.get("AlarmArn")) or f"{alarm.get('Region')} {name}",
        group_key="",
        state=RESOLVED if is_over else FIRING,
        summary=f"{name}: {text(alarm.get('AlarmDescription')) or state}",
        severity="warning" if state == "INSUFFICIENT_DATA" else "error",
        starts_at=None if is_over else changed_at,
        ends_at=changed_at if is_over else None,
        details={text(key): plain(value) for key, value in alarm.items()},
        description=text(alarm.get("NewStateReason")),
    )


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
