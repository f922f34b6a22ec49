"""Browser push: encrypted for one browser (RFC 8291), signed as ours (RFC 8292, VAPID)."""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.crypto import salted_hmac

from notifications import outbound
from notifications.channels.http import Caller, judge
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import button, one_line, several_lines

CURVE: Final = ec.SECP256R1()
TTL_S: Final = 3600
SAFE: Final = ("https://", "http://localhost", "http://127.0.0.1")
"""Where browsers let a site show notifications."""
_TOKEN_S: Final = 12 * 3600
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class PushChannel:
    """Posts to the push service that a browser named when it subscribed."""

    limits = Limits(length=600, per_second=5.0, buttons=2)

    def __init__(self) -> None:
        self._caller = Caller(per_second=self.limits.per_second)

    @property
    def is_ready(self) -> bool:
        return settings.PUBLIC_URL.startswith(SAFE)

    def clean(self, address: str) -> str:
        """The subscription as compact JSON; raises ValueError for what is none."""
        try:
            given = orjson.loads(address)
            kept = {
                "endpoint": str(given["endpoint"]),
                "p256dh": str(given["keys"]["p256dh"]),
                "auth": str(given["keys"]["auth"]),
            }
            outbound.place_of(kept["endpoint"])
            _public(kept["p256dh"])
            is_whole = len(_bytes(kept["auth"])) == 16
        except (ValueError, KeyError, TypeError):
            is_whole = False
        if not is_whole:
            raise ValueError("This is no subscription of a browser.")
        return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode()

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        try:
            to = orjson.loads(address)
            body = encrypt(plain(message, self.limits.length), to["p256dh"], to["auth"])
        except (ValueError, KeyError, TypeError) as problem:
            return SendResult(ok=False, permanent=True, detail=f"No subscription: {problem}"[:200])
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Urgency": "high" if message.urgency == "high" else "normal",
            "Topic": message.key.replace("-", "")[:32],
            "Authorization": vapid(to["endpoint"], time.time()),
        }
        answer = self._caller.post(
            to["endpoint"], body=body, headers=headers, deadline_s=deadline_s
        )
        is_unknown = isinstance(answer, outbound.Answer) and answer.status == HTTPStatus.NOT_FOUND
        result = judge(answer)
        # RFC 8030, 7.3: a subscription that has ended is answered so, as well as by 410.
        return replace(result, gone=True) if is_unknown else result

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""


def plain(message: OutgoingMessage, limit: int) -> bytes:
    """What the worker of the page shows; its token acknowledges, and only this browser reads it."""
    return orjson.dumps(
        {
            "title": one_line(message.subject, 120),
            "body": several_lines(message.body, limit),
            "url": message.open_url or message.ack_url,
            "ask": message.ack_url,
            "tag": message.topic,
            "urgent": message.urgency == "high",
            "token": message.ack_token,
            "actions": [
                {"action": what, "title": button(what, message.language)}
                for what, is_there in (
                    ("acknowledge", message.ack_token),
                    ("open", message.open_url),
                )
                if is_there
            ],
        }
    )


# ---- Who we are: one key pair of the site, derived from its secret ------------------------------


def own_key() -> ec.EllipticCurvePrivateKey:
    """The site's key; another SECRET_KEY means another one, and browsers subscribe anew."""
    digest = salted_hmac("tierline.push", "vapid", algorithm="sha512").digest()
    return ec.derive_private_key(int.from_bytes(digest, "big") % (_ORDER - 1) + 1, CURVE)


def public_key() -> str:
    """What a browser is given to subscribe with: it takes messages from this key alone."""
    return _text(_raw(own_key().public_key()))


def vapid(endpoint: str, now: float) -> str:
    """The header that says who sends, to this push service only and for half a day."""
    place = urlsplit(endpoint)
    claims = {
        "aud": f"{place.scheme}://{place.netloc}",
        "exp": int(now) + _TOKEN_S,
        "sub": settings.PUBLIC_URL,
    }
    head = _text(orjson.dumps({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{_text(orjson.dumps(claims))}"
    r, s = decode_dss_signature(own_key().sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = _text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={public_key()}"


# ---- For the browser's eyes only ---------------------------------------------------------------


def encrypt(
    plain: bytes,
    p256dh: str,
    auth: str,
    *,
    salt: bytes | None = None,
    once: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """One record of aes128gcm for the holder of these keys (RFC 8291, section 3).

    `salt` and `once` are for the example of the RFC alone. Raises ValueError for broken keys.
    """
    salt, once = salt or os.urandom(16), once or ec.generate_private_key(CURVE)
    theirs, ours = _public(p256dh), _raw(once.public_key())
    shared = once.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\x00" + _raw(theirs) + ours
    secret = _derived(shared, _bytes(auth), info, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\x00", 12)
    sealed = AESGCM(key).encrypt(nonce, plain + b"\x02", None)
    return salt + (4096).to_bytes(4, "big") + bytes([len(ours)]) + ours + sealed


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _public(text: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, _bytes(text))


def _raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
