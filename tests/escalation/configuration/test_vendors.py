"""Vendors and their contacts in a file: made, found again, replaced, and refused out of reach."""

import pytest

from escalation.configuration.applying import apply_text, export_site
from escalation.configuration.document import BadFile
from escalation.models import Vendor
from roles.models import AuditEntry

FILE = """\
version: 1
vendors:
  carrier:
    name: Carrier
    calendar: always
    contacts:
    - {role: Desk, email: desk@carrier.example}
    - {level: 2, role: Duty manager, phone: "+1 555 01"}
"""


def test_a_vendors_contacts_are_made_and_found_again(story):
    apply_text(text=FILE, clock=story.clock)
    told = [(row.level, row.role) for row in Vendor.objects.get().contacts.all()]
    assert told == [(1, "Desk"), (2, "Duty manager")]
    assert "desk@carrier.example" in export_site()
    kept = AuditEntry.objects.count()
    again = apply_text(text=FILE, clock=story.clock)
    assert again.lines() == ["Nothing to change: the site is as the file says."]
    own = apply_text(text=export_site(), clock=story.clock)
    assert own.lines() == ["Nothing to change: the site is as the file says."]
    assert AuditEntry.objects.count() == kept


def test_another_list_replaces_the_contacts(story):
    apply_text(text=FILE, clock=story.clock)
    apply_text(text=FILE.replace("desk@carrier", "new@carrier"), clock=story.clock)
    emails = [row.email for row in Vendor.objects.get().contacts.all()]
    assert emails == ["new@carrier.example", ""]
    assert AuditEntry.objects.filter(action="vendor.contacts_set").count() == 2


def test_a_contact_that_cannot_be_reached_is_refused(story):
    wrong = FILE.replace(", email: desk@carrier.example", "")
    with pytest.raises(BadFile):
        apply_text(text=wrong, clock=story.clock)
    assert not Vendor.objects.exists()
