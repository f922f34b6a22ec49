"""The one list of channels by their slug."""

from typing import Final

from notifications.channels.apprise import AppriseChannel
from notifications.channels.email import EmailChannel
from notifications.channels.mattermost import MattermostChannel
from notifications.channels.message import Channel
from notifications.channels.push import PushChannel
from notifications.channels.slack import SlackChannel
from notifications.channels.sms import SmsChannel
from notifications.channels.teams import TeamsChannel
from notifications.channels.voice import VoiceChannel
from notifications.channels.webhook import WebhookChannel

CHANNELS: dict[str, Channel] = {
    "email": EmailChannel(),
    "slack": SlackChannel(),
    "mattermost": MattermostChannel(),
    "teams": TeamsChannel(),
    "sms": SmsChannel(),
    "voice": VoiceChannel(),
    "push": PushChannel(),
    "apprise": AppriseChannel(),
    "webhook": WebhookChannel(),
}

NAMES: Final = {
    "email": "E-mail",
    "slack": "Slack",
    "mattermost": "Mattermost",
    "teams": "Microsoft Teams",
    "sms": "Text message",
    "voice": "Call",
    "push": "Browser",
    "apprise": "Other service",
    "webhook": "Webhook",
}
"""Each by the name that people use."""
PERSONAL: Final = ("email", "push", "slack", "mattermost", "teams", "sms", "voice")
"""Over which of them people may ask to be told, in the order in which a page lists them."""


def on_offer() -> list[str]:
    """The personal channels that this site is set up for."""
    return [slug for slug in PERSONAL if CHANNELS[slug].is_ready]
