"""Vendors in the admin: kept by administrators, engaged by those who work on the ticket."""

import pytest

from escalation.models import Engagement, Vendor, VendorContact
from tests.story import Story
from tickets.assignment import take

ADD = "/admin/escalation/engagement/add/"
LIST = "/admin/escalation/engagement/"


@pytest.fixture
def story(story: Story) -> Story:
    for person in (story.lead, story.stranger):
        person.is_staff = True
        person.save()
    return story


def contacts(*rows):
    management = {"contacts-TOTAL_FORMS": len(rows), "contacts-INITIAL_FORMS": 0}
    cells = {
        f"contacts-{number}-{name}": value
        for number, row in enumerate(rows)
        for name, value in row.items()
    }
    return {**management, **cells}


def test_an_administrator_keeps_vendors_with_their_contacts(story, client):
    client.force_login(story.admin)
    given = {"name": "Meridian", "slug": "meridian", "contract": "M-77", "is_active": "on"}
    desk = {"level": 1, "role": "Desk", "email": "desk@m.example"}
    client.post("/admin/escalation/vendor/add/", {**given, **contacts(desk)})
    assert Vendor.objects.get().contract == "M-77"
    assert VendorContact.objects.get().email == "desk@m.example"
    nobody = {**given, "slug": "b", "name": "B", **contacts({"level": 1, "role": "Desk"})}
    page = client.post("/admin/escalation/vendor/add/", nobody)
    assert "needs an e-mail address or a phone number" in page.content.decode()


def test_a_vendor_is_engaged_answers_and_delivers_from_the_admin(story, client):
    vendor = Vendor.objects.create(slug="meridian", name="Meridian")
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    client.force_login(story.lead)
    given = {"key": ticket.key.lower(), "vendor": vendor.pk, "reason": "Line", "wait": "on"}
    page = client.post(ADD, given, follow=True)
    assert page.status_code == 200, page.content.decode()
    row = Engagement.objects.get()
    assert (row.ticket, row.engaged_by) == (ticket, story.lead)
    assert story.fresh(ticket).status == "pending_vendor"
    act = {"_selected_action": row.pk}
    client.post(LIST, {**act, "action": "respond_chosen", "words": "R-1"})
    client.post(LIST, {**act, "action": "deliver_chosen", "words": "Spliced"})
    row.refresh_from_db()
    assert (row.state, row.reference) == ("delivered", "R-1")
    page = client.post(LIST, {**act, "action": "release_chosen", "words": "x"}, follow=True)
    assert "No vendor is engaged" in page.content.decode()


def test_who_may_not_engage_vendors_is_told_so_and_changes_nothing(story, client):
    vendor = Vendor.objects.create(slug="meridian", name="Meridian")
    ticket = story.open()
    client.force_login(story.admin)
    given = {"key": ticket.key, "vendor": vendor.pk, "reason": "Line"}
    page = client.post(ADD, given, follow=True)
    assert "No ticket that you can see" in page.content.decode()
    client.force_login(story.stranger)
    assert client.post(ADD, given).status_code == 403
    assert not Engagement.objects.exists()
