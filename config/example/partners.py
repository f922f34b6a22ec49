"""Whom the example site works with outside: a carrier under contract, and a hook that is off."""

from typing import NamedTuple

from escalation.models import Vendor, VendorContact
from notifications.models import Hook
from notifications.webhooks import change_hook, create_hook
from roles.instants import TimeSource
from roles.models import Calendar, Team

CARRIER = "meridian"


class Contact(NamedTuple):
    """Whom to reach at a vendor; level 1 takes the call."""

    level: int
    role: str
    name: str
    mailbox: str
    phone: str


class Contract(NamedTuple):
    """A vendor: what was agreed, in which hours, and the team that stands for it."""

    name: str
    number: str
    terms: str
    team: str
    calendar: str
    contacts: tuple[Contact, ...]


VENDORS = {
    CARRIER: Contract(
        "Meridian Carrier",
        "MC-2041",
        "Lines to all sites, round the clock: an answer within 30 minutes and repair within 4 "
        "hours for P1 and P2, two and twelve hours for the rest. Not covered: cabling in our own "
        "buildings, and routers that we bought ourselves.",
        "meridian-carrier",
        "always",
        (
            Contact(1, "Fault desk", "", "faults.meridian", "+1 555 0100"),
            Contact(2, "Duty manager", "Vera Lindqvist", "duty.meridian", "+1 555 0101"),
            Contact(3, "Account manager", "Paul Okafor", "account.meridian", "+1 555 0102"),
        ),
    )
}
HOOK = ("status-board", "Status board", "https://status.example.org/hooks/tierline")


def make_vendors(mail_domain: str) -> None:
    """The vendors that are missing, with their contacts."""
    for slug, about in VENDORS.items():
        made = {
            "name": about.name,
            "contract": about.number,
            "terms": about.terms,
            "team": Team.objects.get(slug=about.team),
            "calendar": Calendar.objects.get(slug=about.calendar),
        }
        vendor, is_new = Vendor.objects.get_or_create(slug=slug, defaults=made)
        if is_new:
            VendorContact.objects.bulk_create(
                VendorContact(
                    vendor=vendor,
                    level=contact.level,
                    role=contact.role,
                    name=contact.name,
                    email=f"{contact.mailbox}@{mail_domain}",
                    phone=contact.phone,
                )
                for contact in about.contacts
            )


def make_hook(clock: TimeSource) -> None:
    """A hook to look at; nothing is sent anywhere before somebody switches it on."""
    slug, name, url = HOOK
    if not Hook.objects.filter(slug=slug).exists():
        hook, _ = create_hook(slug=slug, name=name, url=url, clock=clock)
        change_hook(hook=hook, name=name, url=url, is_active=False, clock=clock)
