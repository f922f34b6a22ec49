"""Template tag of a ticket's story."""

from datetime import datetime

from django import template
from django.utils.safestring import SafeString

from tickets.models import Ticket
from web.telling import drawn
from web.templatetags.tierline import ago
from web.timeline import Item

register = template.Library()


@register.simple_tag
def told(item: Item, ticket: Ticket, now: datetime, *, internal: bool) -> SafeString:
    """One item of the story."""
    return drawn(item, ticket, ago(item.at, now), internal=bool(internal))
