"""Text messages and calls: the one small interface to a provider that is shaped like Twilio."""

import base64
import hmac
import re
from collections.abc import Mapping
from hashlib import sha1
from typing import Final
from urllib.parse import urlencode

import orjson
from django.conf import settings

from notifications.channels.http import Caller, judge
from notifications.channels.message import OutgoingMessage, SendResult

NUMBER: Final = re.compile(r"\+[1-9]\d{6,14}")
"""A telephone number as E.164 writes it."""
UNREACHABLE: Final = frozenset({21211, 21214, 21217, 21408, 21610, 21612, 21614})
"""The provider's codes for a number that will never take this: wrong, barred, unsubscribed."""
_caller = Caller(per_second=1.0)


def is_ready() -> bool:
    """Whether the site names an account with the provider."""
    return bool(settings.TELEPHONY_ACCOUNT and settings.TELEPHONY_FROM)


def clean_number(address: str) -> str:
    """The number in E.164 form. Raises ValueError, in words for whoever typed it."""
    number = re.sub(r"[\s()./-]", "", address)
    if number.startswith("00"):
        number = "+" + number[2:]
    if not NUMBER.fullmatch(number):
        raise ValueError("A telephone number with its country, such as +49 170 1234567.")
    return number


def call_provider(
    what: str, message: OutgoingMessage, number: str, said: Mapping[str, str], deadline_s: float
) -> SendResult:
    """Hand "Messages" or "Calls" to the provider, under the message's key."""
    account = settings.TELEPHONY_ACCOUNT
    url = f"{settings.TELEPHONY_URL}/2010-04-01/Accounts/{account}/{what}.json"
    pair = base64.b64encode(f"{account}:{settings.TELEPHONY_TOKEN}".encode()).decode()
    body = urlencode({"To": number, "From": settings.TELEPHONY_FROM, **said}).encode()
    headers = {
        "Authorization": f"Basic {pair}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": message.key,
    }
    answer = _caller.post(url, body=body, headers=headers, deadline_s=deadline_s, pace_of=number)
    result = judge(answer)
    if isinstance(answer, SendResult) or result.ok:
        return result
    # A wrong account or template is the site's own trouble and passes; a wrong number does not.
    final = _code(answer.body) in UNREACHABLE
    return SendResult(
        ok=False, permanent=final, detail=result.detail, retry_after_s=result.retry_after_s
    )


def _code(body: bytes) -> int:
    try:
        return int(orjson.loads(body)["code"])
    except (ValueError, KeyError, TypeError):
        return 0


def is_genuine(url: str, given: Mapping[str, str], signature: str) -> bool:
    """Whether the provider itself sent this form to this address of ours (X-Twilio-Signature)."""
    if not settings.TELEPHONY_TOKEN:
        return False
    text = url + "".join(name + given[name] for name in sorted(given))
    made = hmac.new(settings.TELEPHONY_TOKEN.encode(), text.encode(), sha1).digest()
    return hmac.compare_digest(base64.b64encode(made), signature.encode())
