"""Goes round all mailboxes that the site names; one that fails keeps none of the others waiting."""

import logging

from django.conf import settings
from django.db.models import F

from api.mail.imap import BadBox, box_of, poll
from roles.instants import TimeSource, database_now
from tickets.models import MailSource

log = logging.getLogger(__name__)


def poll_all(*, clock: TimeSource = database_now) -> int:
    """How many mails were fetched from all mailboxes of active sources."""
    found = 0
    sources = MailSource.objects.filter(slug__in=settings.MAILBOXES, is_active=True)
    sources = sources.select_related("team", "service", "monitor")
    # Whoever has waited longest comes first: a slow mailbox may take all the time that there is.
    for source in sources.order_by(F("polled_at").asc(nulls_first=True), "pk"):
        try:
            found += poll(source, box_of(settings.MAILBOXES[source.slug]), clock=clock)
        except BadBox as problem:
            log.warning("the mailbox of %s cannot be read: %s", source.slug, problem)
    return found
