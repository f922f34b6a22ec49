"""The one list of channels by their slug."""

from notifications.channels.email import EmailChannel
from notifications.channels.message import Channel
from notifications.channels.webhook import WebhookChannel

CHANNELS: dict[str, Channel] = {"email": EmailChannel(), "webhook": WebhookChannel()}
