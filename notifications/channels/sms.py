"""Text messages: one short line, how to reply, and where to look."""

from django.utils import translation
from django.utils.translation import gettext as _

from notifications.channels import telephony
from notifications.channels.message import Limits, OutgoingMessage, SendResult
from notifications.channels.words import text_message


class SmsChannel:
    """Sends text messages; a page is acknowledged by a reply that names its number."""

    limits = Limits(length=320, per_second=1.0, buttons=0)

    @property
    def is_ready(self) -> bool:
        return telephony.is_ready()

    def clean(self, address: str) -> str:
        return telephony.clean_number(address)

    def send(self, message: OutgoingMessage, address: str, deadline_s: float) -> SendResult:
        reply = ""
        if message.reply_code:
            with translation.override(message.language):
                reply = _("Reply %(code)s to acknowledge.") % {"code": message.reply_code}
        said = {"Body": text_message(message, self.limits.length, reply)}
        return telephony.call_provider("Messages", message, address, said, deadline_s)

    def rest(self) -> None:
        """Nothing is kept: each message has a connection of its own."""
