"""Calls: the subject is read aloud twice, and a key acknowledges."""

from html import escape
from urllib.parse import quote

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from notifications.channels import telephony
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import one_line

KEY_PATH = "/answers/voice/"
_SPOKEN = {"de": "de-DE", "en": "en-GB"}


class VoiceChannel:
    """Calls a number and reads; pressing 4 acknowledges."""

    limits = Limits(length=400, per_second=1.0, buttons=1)

    @property
    def is_ready(self) -> bool:
        return telephony.is_ready()

    def clean(self, address: str) -> str:
        return telephony.clean_number(address)

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        said = {"Twiml": script(message, self.limits.length)}
        return telephony.call_provider("Calls", message, address, said, deadline_s)

    def rest(self) -> None:
        """Nothing is kept: each call has a connection of its own."""


def voice_of(language: str) -> str:
    """Which of the provider's voices reads this language."""
    return _SPOKEN.get(language.partition("-")[0], _SPOKEN["en"])


def script(message: OutgoingMessage, limit: int) -> str:
    """What the provider is to say, and where the pressed key goes, as its markup wants it."""
    voice = voice_of(message.language)
    words = escape(one_line(message.subject, limit))
    said = f'<Say language="{voice}">{words}</Say>'
    if not message.ack_token:
        return f"<Response>{said}<Pause/>{said}</Response>"
    path = KEY_PATH + quote(message.ack_token, safe=":")
    to = escape(settings.PUBLIC_URL.rstrip("/") + path)
    with translation.override(message.language):
        press = _("Press 4 to acknowledge.")
    ask = f'<Say language="{voice}">{escape(press)}</Say>'
    return (
        f'<Response><Gather numDigits="1" timeout="8" action="{to}" method="POST">'
        f"{said}{ask}<Pause/>{said}{ask}</Gather></Response>"
    )
