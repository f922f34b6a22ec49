"""Browser push: the RFC's own example, our signature, and one encrypted for a browser's eyes."""

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notifications.channels import push
from notifications.channels.apprise import AppriseChannel
from notifications.channels.push import PushChannel, encrypt, public_key, vapid
from tests.notifications.receiver import receiving
from tests.notifications.test_channels import page

PLAIN = b"When I grow up, I want to be a watermelon"
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS"
    "6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qu"
    "lcy4a-fN"
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(push._bytes(text), "big"), push.CURVE)


def opened(sealed: bytes, key: ec.EllipticCurvePrivateKey, auth: str) -> bytes:
    """What a browser reads: the other half of RFC 8291."""
    salt, ours, rest = sealed[:16], sealed[21:86], sealed[86:]
    theirs = push._raw(key.public_key())
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(push.CURVE, ours))
    secret = push._derived(shared, push._bytes(auth), b"WebPush: info\0" + theirs + ours, 32)
    content = push._derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = push._derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    return AESGCM(content).decrypt(nonce, rest, None).removesuffix(b"\x02")


def test_the_example_of_the_rfc_comes_out_to_the_byte():
    once = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    salt = push._bytes("DGv6ra1nlYgDCS1FRnbzlw")
    assert push._text(encrypt(PLAIN, P256DH, AUTH, salt=salt, once=once)) == SEALED


def test_only_the_browser_itself_reads_it():
    key = ec.generate_private_key(push.CURVE)
    theirs = push._text(push._raw(key.public_key()))
    assert opened(encrypt(PLAIN, theirs, AUTH), key, AUTH) == PLAIN


def test_the_header_says_who_sends_and_to_whom_alone(settings):
    settings.PUBLIC_URL = "https://desk.example"
    header = vapid("https://push.example/abc/def", 1_700_000_000)
    token, key = header.removeprefix("vapid t=").split(", k=")
    head, claims, signature = token.split(".")
    assert orjson.loads(push._bytes(head)) == {"typ": "JWT", "alg": "ES256"}
    assert orjson.loads(push._bytes(claims)) == {
        "aud": "https://push.example",
        "exp": 1_700_000_000 + 12 * 3600,
        "sub": "https://desk.example",
    }
    raw = push._bytes(signature)
    whole = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    verifier = push._public(key)
    verifier.verify(whole, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert key == public_key()
    settings.SECRET_KEY = "another"
    assert key != public_key()


@pytest.fixture
def receiver(settings):
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        yield found


def subscription(
    endpoint: str, key: ec.EllipticCurvePrivateKey | None = None
) -> tuple[str, ec.EllipticCurvePrivateKey]:
    key = key or ec.generate_private_key(push.CURVE)
    keys = {"p256dh": push._text(push._raw(key.public_key())), "auth": AUTH}
    given = {"endpoint": endpoint, "expirationTime": None, "keys": keys}
    return orjson.dumps(given).decode(), key


def test_a_page_arrives_encrypted_and_urgent(receiver):
    address, key = subscription(receiver.url)
    channel = PushChannel()
    receiver.says("201 Created")
    assert channel.send(page(), channel.clean(address), 5.0).ok
    [call] = receiver.calls
    assert call.headers["urgency"] == "high"
    assert call.headers["content-encoding"] == "aes128gcm"
    assert b"INC-000012" not in call.body
    said = orjson.loads(opened(call.body, key, AUTH))
    assert said["title"] == page().subject
    assert (said["url"], said["ask"]) == (page().open_url, page().ack_url)
    assert said["token"] == page().ack_token
    assert [each["action"] for each in said["actions"]] == ["acknowledge", "open"]


def test_the_longest_page_fits_into_what_a_push_service_takes(receiver):
    """4,096 bytes are all that RFC 8030 promises."""
    address, _ = subscription(receiver.url)
    channel = PushChannel()
    receiver.says("201 Created")
    long = page(subject="🔥" * 500, body="🔥" * 5000, ack_token="t" * 160, open_url="u" * 200)
    assert channel.send(long, channel.clean(address), 5.0).ok
    assert len(receiver.calls[0].body) <= 4096


@pytest.mark.parametrize(("status", "final"), [("410 Gone", True), ("503 Later", False)])
def test_a_browser_that_went_away_is_final(receiver, status, final):
    address, _ = subscription(receiver.url)
    channel = PushChannel()
    receiver.says(status)
    result = channel.send(page(), channel.clean(address), 5.0)
    assert (result.ok, result.permanent) == (False, final)


@pytest.mark.parametrize(
    "address",
    ["", "{}", "[]", subscription("http://127.0.0.1/x")[0], subscription("https://a.b/c")[0][:-9]],
)
def test_what_is_no_subscription_is_refused(address):
    with pytest.raises(ValueError, match="no subscription"):
        PushChannel().clean(address)


# ---- Whatever Apprise reaches ------------------------------------------------------------------


def test_apprise_hands_a_message_to_the_service_that_the_address_names(receiver):
    channel = AppriseChannel()
    address = channel.clean(f"json://{receiver.host}/in")
    assert channel.send(page(), address, 5.0).ok
    said = orjson.loads(receiver.calls[0].body)
    assert said["title"] == page().subject
    assert page().ack_url in said["message"]


def test_a_service_that_fails_is_tried_again_later_and_held_back_meanwhile(receiver):
    channel = AppriseChannel()
    receiver.says("500 No")
    first = channel.send(page(), f"json://{receiver.host}/in", 5.0)
    assert (first.ok, first.permanent) == (False, False)
    second = channel.send(page(), f"json://{receiver.host}/in", 5.0)
    assert second.retry_after_s > 0
    assert len(receiver.calls) == 1


def test_an_address_that_apprise_does_not_know_is_refused():
    with pytest.raises(ValueError, match="Apprise"):
        AppriseChannel().clean("nonsense://")
    assert AppriseChannel().send(page(), "nonsense://", 5.0).permanent
