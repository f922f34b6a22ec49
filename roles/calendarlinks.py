"""Makes, reads and revokes the private addresses by which calendar programs fetch shifts."""

import secrets

from django.core import signing
from django.db import transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import CalendarLink, Person
from roles.people import require, roles_of
from roles.refusals import Invalid
from roles.rows import end_row

_SALT = "roles.calendarlinks"


@transaction.atomic
def make_link(
    *,
    person: Person,
    name: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> CalendarLink:
    """A new private address for the person's calendar program, good until it is revoked.

    People make their own; for others it takes an administrator. Raises Forbidden and Invalid.
    """
    if actor is None or actor.pk != person.pk:
        require(actor, "admin")
    if not person.is_active or "agent" not in roles_of(person):
        problem = {"person": f"{person} belongs to no team."}
        raise Invalid("bad_link", "Only people of the service have on-call calendars.", problem)
    if len(name) > 200:
        raise Invalid("bad_link", "That name is too long.", {"name": "At most 200 characters."})
    link = CalendarLink.objects.create(
        person=person, name=name, nonce=secrets.token_hex(16), created_at=clock()
    )
    changes = {"person": person.username}
    audit.record(actor=actor, action="link.made", subject=link, changes=changes, clock=clock)
    return link


@transaction.atomic
def revoke_link(
    *, link: CalendarLink, actor: Person | None = None, clock: TimeSource = database_now
) -> CalendarLink:
    """The link, useless from now on. Raises Forbidden, and Conflict when it was so already."""
    return end_row(link, word="link", actor=actor, clock=clock)


def token_of(link: CalendarLink) -> str:
    """The signed text that stands in the link's address; shown again whenever it is asked for."""
    return signing.Signer(salt=_SALT).sign(link.nonce)


def reader_of(token: str) -> Person | None:
    """Whose link this is; None when it is forged or revoked, or its person serves no more."""
    try:
        nonce = signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        return None
    links = CalendarLink.objects.select_related("person")
    link = links.filter(nonce=nonce, revoked_at__isnull=True).first()
    if link is None or not link.person.is_active or "agent" not in roles_of(link.person):
        return None
    return link.person
