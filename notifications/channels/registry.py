"""The one list of channels by their slug."""

from notifications.channels.email import EmailChannel
from notifications.channels.message import Channel

CHANNELS: dict[str, Channel] = {"email": EmailChannel()}
