"""Hand-over contracts and the answers about a ticket, in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from escalation.handover import escalate
from escalation.models import HandoverContract
from roles.models import AuditEntry, Membership
from tests.escalation.test_admin import address, admin, auditor, door, story
from tests.story import Story

__all__ = ["admin", "auditor", "door", "story"]


def contract_form(story: Story, **changes: object) -> dict[str, object]:
    form = {
        "from_team": "",
        "to_team": story.apps.pk,
        "is_active": "on",
        "needs-TOTAL_FORMS": 2,
        "needs-INITIAL_FORMS": 0,
        "needs-MIN_NUM_FORMS": 0,
        "needs-MAX_NUM_FORMS": 1000,
        "needs-0-position": 1,
        "needs-0-slug": "logs",
        "needs-0-name": "Logs",
        "needs-0-required": "on",
        "needs-1-position": 2,
        "needs-1-slug": "workaround",
        "needs-1-name": "Workaround",
    }
    return form | changes


def test_a_contract_is_written_in_the_admin_and_audited(story, admin):
    answer = admin.post(address("handovercontract", "add"), contract_form(story))
    assert answer.status_code == 302
    contract = HandoverContract.objects.get()
    assert [(need.slug, need.required) for need in contract.needs.all()] == [
        ("logs", True),
        ("workaround", False),
    ]
    assert AuditEntry.objects.filter(action="handovercontract.added").exists()
    listed = admin.get(address("handovercontract")).content.decode()
    assert "Logs, Workaround" in listed


@pytest.mark.parametrize("wrong", [{"to_team": ""}, {"needs-1-slug": "logs"}, {"needs-0-name": ""}])
def test_a_wrong_contract_is_refused_and_changes_nothing(story, admin, wrong):
    answer = admin.post(address("handovercontract", "add"), contract_form(story, **wrong))
    assert answer.status_code == 200
    assert not HandoverContract.objects.exists()


def test_a_second_contract_of_one_edge_is_refused_in_words(story, admin):
    admin.post(address("handovercontract", "add"), contract_form(story))
    answer = admin.post(address("handovercontract", "add"), contract_form(story))
    assert "There is a contract for this edge already." in answer.content.decode()


def test_auditors_read_contracts_with_the_figures_of_their_edges(story, admin, auditor):
    admin.post(address("handovercontract", "add"), contract_form(story, **{"needs-0-required": ""}))
    ticket = story.open()
    escalate(ticket=ticket, actor=story.agent, reason_code="skill", reason="x", clock=story.clock)
    contract = HandoverContract.objects.get()
    page = address("handovercontract", "change", contract.pk)
    assert (
        "Desk to Apps: 1 passed on, acceptance not measured" in auditor.get(page).content.decode()
    )
    assert auditor.post(page, contract_form(story)).status_code == 403


def test_a_tickets_admin_page_answers_why_and_whom(story, admin):
    ticket = story.open()
    page = reverse("admin:tickets_ticket_change", args=[ticket.pk])
    text = admin.get(page).content.decode()
    assert "Nobody had been paged." in text
    assert "Escalate to Apps on L2: route for Mail." in text
    assert "It has not been escalated." in text


def test_a_reader_of_the_agents_page_can_ask_why_nobody_was_paged(story):
    ticket = story.open()
    Membership.objects.get(team=story.desk, person=story.agent)
    client = Client()
    client.force_login(story.agent)
    url = f"/tickets/{ticket.key}"
    assert f'href="{url}/unpaged"' in client.get(url).content.decode()
    assert "The site has no policy at all." in client.get(f"{url}/unpaged").content.decode()
    outsider = Client()
    outsider.force_login(story.requester)
    assert "Why was nobody paged" not in outsider.get(url).content.decode()


def test_the_escalate_form_asks_what_the_chosen_team_needs_and_debts_are_paid_on_a_page(
    story, admin
):
    admin.post(address("handovercontract", "add"), contract_form(story))
    ticket = story.open(impact=1, urgency=1)
    client = Client()
    client.force_login(story.agent)
    url = f"/tickets/{ticket.key}/escalate"
    given = {"to_team": "apps", "reason_code": "skill", "reason": "Stuck"}
    assert "need_logs" in client.get(url).content.decode()
    refused = client.post(url, given)
    assert refused.status_code == 422
    assert "Logs: this team needs it." in refused.content.decode()
    assert client.post(url, {**given, "urgent": "on"}).status_code == 302
    owing = client.get(f"/tickets/{ticket.key}").content.decode()
    assert "Still owed:" in owing
    paid = client.post(f"/tickets/{ticket.key}/complete-handover", {"logs": "500 at nine"})
    assert paid.status_code == 302
    assert "Still owed:" not in client.get(f"/tickets/{ticket.key}").content.decode()
