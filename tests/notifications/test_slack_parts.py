"""Slack's own library on what we send to Slack and on how we know what comes from there."""

import pytest
from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.blocks import ActionsBlock, Block, SectionBlock
from slack_sdk.signature import Clock, SignatureVerifier

from notifications.channels import slack
from notifications.channels.slack import SlackChannel
from tests.notifications.test_channels import HOSTILE, page

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = 1_531_420_618
BODY = b"token=x&user_id=U012AB3CD&command=%2Ftierline&text=status+INC-000012"


class Still(Clock):
    """Their clock, at one moment."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


def theirs(now: float = AT) -> SignatureVerifier:
    return SignatureVerifier(SECRET, Still(now))


@pytest.fixture
def secret(settings) -> None:
    settings.SLACK_SIGNING_SECRET = SECRET


SIGNED = theirs().generate_signature(timestamp=str(AT), body=BODY)
CALLS = [
    (BODY, str(AT), SIGNED, AT),
    (BODY, str(AT), SIGNED, AT + 300),
    (BODY, str(AT), SIGNED, AT + 301),
    (BODY, str(AT), SIGNED, AT - 301),
    (BODY + b"x", str(AT), SIGNED, AT),
    (BODY, str(AT + 1), SIGNED, AT),
    (BODY, str(AT), SIGNED.replace("v0=", "v1="), AT),
    (BODY, str(AT), SIGNED[:-1] + ("0" if SIGNED[-1] != "0" else "1"), AT),
    (BODY, str(AT), "", AT),
]


@pytest.mark.parametrize(("body", "sent_at", "signature", "now"), CALLS)
def test_we_and_slacks_own_verifier_agree(secret, body, sent_at, signature, now):
    told = theirs(now).is_valid(body=body, timestamp=sent_at, signature=signature)
    assert slack.is_genuine(body, sent_at, signature, now) is told
    assert (told, bool(signature)) != (True, False)


MESSAGES = {
    "page": page(),
    "hostile": page(subject=HOSTILE, body=HOSTILE),
    "long": page(subject="very long " * 100, body="x" * 9000 + "&<>" * 3000),
    "empty": page(body="", ack_token="", ack_url="", open_url=""),
    "news": page(ack_token="", ack_url=""),
}


@pytest.mark.parametrize("acting", [True, False])
@pytest.mark.parametrize("name", MESSAGES)
def test_slacks_own_models_take_every_block(name, acting):
    said = slack.blocks(MESSAGES[name], SlackChannel.limits.length, acting=acting)
    parsed = Block.parse_all(said)
    assert [type(each) for each in parsed] == [SectionBlock, ActionsBlock][: len(said)]
    for each in parsed:
        each.validate_json()
        for button in getattr(each, "elements", None) or ():
            button.validate_json()
    BlockAttachment(blocks=parsed).validate_json()


def test_their_models_do_refuse_what_slack_would():
    [section, *_] = slack.blocks(page(body="x" * 9000), 9000, acting=True)
    with pytest.raises(Exception, match="3000"):
        Block.parse(section).validate_json()
