"""The ticket's page and the acts on it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from escalation.billing import late_words
from escalation.breaches import note_breaches
from escalation.models import Clock
from roles.instants import database_now
from roles.models import Person
from tickets.lifecycle import comment
from tickets.models import ChangeNotice, Ticket
from tickets.sources import create_source
from web.register import ACTS

QUERIES_MAX = 15
NOTE = "after the index rebuild"


def address(stage, name: str, act: str = "") -> str:
    return f"/tickets/{stage.tickets[name].key}" + (f"/{act}" if act else "")


def reload(stage, name: str) -> Ticket:
    return Ticket.objects.get(pk=stage.tickets[name].pk)


def test_the_page_costs_the_same_however_much_has_happened(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for number in range(20):
        comment(ticket=stage.tickets["slow"], actor=stage.nora, text=f"{number}", public=True)
    with CaptureQueriesContext(connection) as many:
        assert client.get(url).status_code == 200
    assert len(many) <= len(few) + 1  # a new name in the story may be looked up once
    assert len(many) <= QUERIES_MAX


def test_no_ticket_costs_more_however_it_stands(stage, sign_in):
    client = sign_in(stage.mara)
    asked = {}
    for name in ("slow", "vpn", "mail", "payroll", "badge"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(stage, name)).status_code == 200
        asked[name] = len(queries)
    assert max(asked.values()) <= QUERIES_MAX, asked


WHO_SEES = {
    ("ines", "slow"): True,
    ("ada", "slow"): True,
    ("bo", "slow"): False,
    ("stranger", "slow"): False,
    ("ines", "case"): False,
    ("mara", "case"): False,
    ("sam", "case"): True,
}


def without_token(page: bytes) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.decode())


def test_a_ticket_that_one_may_not_see_does_not_exist(stage, sign_in):
    for (person, name), sees in WHO_SEES.items():
        client = sign_in(stage.people[person])
        answer = client.get(address(stage, name), follow=True)
        assert answer.status_code == (200 if sees else 404), (person, name)
        if not sees:
            missing = client.get("/tickets/INC-999999")
            assert without_token(missing.content) == without_token(answer.content)
            assert client.post(address(stage, name, "take")).status_code == 404
            assert client.post(address(stage, name, "comment")).status_code == 404


@pytest.mark.parametrize("key", ["INC-1%00", "INC-", "x" * 300, "inc-%2e%2e", "RES-9999999999999"])
def test_a_key_of_another_shape_is_not_found(stage, sign_in, key):
    assert sign_in(stage.nora).get(f"/tickets/{key}").status_code == 404


def test_a_requester_never_sees_notes_clocks_or_messages(stage, sign_in):
    told = sign_in(stage.ada).get(address(stage, "slow"), follow=True).content.decode()
    assert "I see the delay too" in told
    for secret in (NOTE, "orders-db-2", "Acceptance", "Teo Marin"):
        assert secret not in told
    assert NOTE in sign_in(stage.nora).get(address(stage, "slow")).content.decode()


def offered(client: Client, url: str) -> set[str]:
    context = client.get(url).context
    return {act.slug for act in [*context["main_acts"], *context["more_acts"]]}


def test_acts_are_offered_as_role_and_status_allow(stage, sign_in):
    slow = address(stage, "slow")
    assert {"take", "acknowledge", "accept", "escalate", "hand-back"} <= offered(
        sign_in(stage.nora), slow
    )
    assert "take" not in offered(sign_in(stage.ines), slow)


ANSWERS = {
    "escalate": {"to_team": "platform", "reason_code": "skill", "reason": "x"},
    "hand-back": {"reason_code": "solvable", "reason": "x"},
    "pend": {"status": "pending_vendor", "reason": "x"},
    "resolve": {"code": "fixed", "text": "x"},
    "reopen": {"reason": "x"},
    "cancel": {"reason": "x"},
    "impact": {"impact": "2", "urgency": "1"},
    "priority": {"priority": "2", "reason": "x"},
    "move": {"team": "support"},
    "chase": {"text": "x"},
}


def test_a_forbidden_act_is_refused_and_changes_nothing(stage, sign_in):
    # A watcher sees the ticket, and may do nothing with it but watch and answer.
    stage.tickets["vpn"].watchers.create(person=stage.stranger)
    client = sign_in(stage.stranger)
    before = reload(stage, "vpn").last_hash
    for act in ACTS:
        if "watch" not in act.needs:
            answer = client.post(address(stage, "vpn", act.slug), ANSWERS.get(act.slug, {}))
            assert answer.status_code == 403, act.slug
            assert client.get(address(stage, "vpn", act.slug)).status_code == 403, act.slug
    assert reload(stage, "vpn").last_hash == before


def test_an_act_at_the_wrong_moment_is_refused_with_a_reason(stage, sign_in):
    answer = sign_in(stage.omar).post(
        address(stage, "badge", "pend"), {"status": "pending_vendor", "reason": "a part"}
    )
    assert answer.status_code == 409
    assert "resolved" in answer.content.decode()
    assert reload(stage, "badge").status == "resolved"


def test_what_was_typed_survives_a_refusal(stage, sign_in):
    typed = "I have looked at the plan and it is wrong"
    answer = sign_in(stage.nora).post(
        address(stage, "slow", "escalate"),
        {"to_team": "platform", "reason_code": "", "reason": typed},
    )
    assert answer.status_code == 422
    assert typed in answer.content.decode()
    assert "Choose why." in answer.content.decode()
    assert reload(stage, "slow").team.slug == "support"


@pytest.mark.parametrize(
    ("mode", "text", "status"),
    [
        ("reply", "", 422),
        ("note", "   ", 422),
        ("shout", "hello", 422),
        ("reply", "x" * 20_001, 422),
    ],
)
def test_a_refused_comment_changes_nothing(stage, sign_in, mode, text, status):
    before = reload(stage, "slow").last_seq
    answer = sign_in(stage.nora).post(
        address(stage, "slow", "comment"), {"mode": mode, "text": text}
    )
    assert answer.status_code == status
    assert reload(stage, "slow").last_seq == before


def test_a_requester_cannot_write_an_internal_note(stage, sign_in):
    answer = sign_in(stage.ada).post(
        address(stage, "slow", "comment"), {"mode": "note", "text": "let me in"}
    )
    assert answer.status_code == 403
    assert "let me in" in answer.content.decode()


def test_escalating_tells_the_person_what_is_next(stage, sign_in):
    client = sign_in(stage.nora)
    with CaptureQueriesContext(connection) as asked:
        form = client.get(address(stage, "slow", "escalate")).context["form"]
    first = form.panel.recommended
    assert (first.team.slug, first.on_shift) == ("platform", ("Petra Novak",))
    assert len(asked) <= 15  # the panel itself costs eight
    answer = client.post(address(stage, "slow", "escalate"), ANSWERS["escalate"])
    assert answer.status_code == 302
    assert reload(stage, "slow").team.slug == "platform"


def test_a_dialog_that_succeeds_sends_the_page_on(stage, sign_in):
    answer = sign_in(stage.nora).post(
        address(stage, "slow", "resolve"),
        ANSWERS["resolve"],
        headers={"hx-request": "true", "hx-target": "act-sheet"},
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == address(stage, "slow")


def test_a_form_without_its_token_is_refused(stage):
    client = Client(enforce_csrf_checks=True)
    client.force_login(stage.nora)
    answer = client.post(address(stage, "slow", "take"))
    assert answer.status_code == 403
    assert "This form is too old" in answer.content.decode()
    assert reload(stage, "slow").assignee is None


def test_what_people_write_is_never_obeyed_as_markup(stage, sign_in):
    evil = "<script>alert(1)</script><b onmouseover=x>"
    comment(ticket=stage.tickets["slow"], actor=stage.nora, text=evil, public=True)
    page = sign_in(stage.nora).get(address(stage, "slow")).content.decode()
    assert "<script>alert" not in page
    assert "<b onmouseover" not in page


def test_no_page_has_inline_script_or_style(stage, sign_in):
    client = sign_in(stage.nora)
    for url in (
        "/",
        "/?view=all",
        address(stage, "slow"),
        address(stage, "slow", "escalate"),
        "/new",
        "/guide",
        "/on-call",
        "/nothing-here",
    ):
        page = client.get(url).content.decode()
        assert " style=" not in page, url
        assert " onclick=" not in page, url
        assert "<style" not in page, url
        assert page.count("<script") == page.count("<script src="), url


def test_live_parts_send_those_whose_session_has_ended_to_the_door(stage):
    answer = Client().get("/", headers={"hx-request": "true", "hx-target": "queue-live"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")


def test_an_agent_opens_a_ticket_for_somebody_else(stage, sign_in):
    given = {"kind": "incident", "subject": "Phone is dead", "impact": "3", "urgency": "2"}
    client = sign_in(stage.ines)
    wrong = client.post("/new", {**given, "source": "phone", "requester": "nobody@example.com"})
    assert wrong.status_code == 422
    client.post("/new", {**given, "source": "phone", "requester": "ADA@example.com"})
    assert Ticket.objects.get(subject="Phone is dead").requester == stage.ada


def test_requesters_have_no_on_call_page_and_everybody_has_the_guide(stage, sign_in):
    asker: Person = stage.ada
    assert sign_in(asker).get("/on-call").status_code == 404
    assert sign_in(asker).get("/guide").status_code == 200
    assert "Teo Marin" in sign_in(stage.ines).get("/on-call").content.decode()


def test_a_link_is_shown_from_both_ends_and_an_unseen_key_is_as_unknown_as_none(stage, sign_in):
    client = sign_in(stage.nora)
    one = stage.tickets["slow"]
    other = next(found for found in stage.tickets.values() if found != one and not found.restricted)
    url = address(stage, "slow", "link")
    missing = client.post(url, {"relation": "caused_by", "other": "INC-999999"})
    assert missing.status_code == 422
    assert b"No ticket that you can see has this key." in missing.content
    assert (
        client.post(url, {"relation": "caused_by", "other": other.key.lower()}).status_code == 302
    )
    assert other.key in client.get(f"/tickets/{one.key}").content.decode()
    assert "Cause of" in client.get(f"/tickets/{other.key}").content.decode()


def test_the_address_of_a_refused_note_leads_back_to_its_ticket(stage, sign_in):
    client = sign_in(stage.nora)
    answer = client.get(address(stage, "slow", "comment"))
    assert (answer.status_code, answer.url) == (302, f"/tickets/{stage.tickets['slow'].key}")


def test_an_address_that_only_takes_forms_says_so_on_a_page(stage, sign_in):
    answer = sign_in(stage.nora).get("/sign-out")
    assert answer.status_code == 405
    assert b"This is no page" in answer.content


def test_a_missed_clock_says_on_the_page_where_the_late_time_went(stage, sign_in):
    note_breaches(limit=100, clock=database_now)
    missed = Clock.objects.filter(breached_at__isnull=False, ticket__restricted=False)
    clock = missed.select_related("ticket").order_by("pk")[0]
    words = late_words([clock], database_now())[clock.pk]
    told = words.partition(" late: ")[2]
    page = sign_in(stage.nora).get(f"/tickets/{clock.ticket.key}").content.decode()
    # How late it is moves on while the page is drawn; where the time went does not.
    where = re.sub(r"[\d.]+ (s|min|h|d)\b", "", told).split(",")[0].strip()
    assert where
    assert re.search(rf"late: [^<]*{re.escape(escape(where))}", page)


def test_changes_that_senders_told_of_stand_beside_a_ticket(stage, sign_in):
    ticket = stage.tickets["slow"]
    Ticket.objects.filter(pk=ticket.pk).update(service=stage.service)
    source, _ = create_source(slug="ci", product="pagerduty", service=stage.service)
    told = {"source": source, "received_at": ticket.opened_at, "origin": "ci"}
    for summary, ago in (("deploy 1.2.3", 1), ("deploy 0.9", 60)):
        at = ticket.opened_at - timedelta(hours=ago)
        ChangeNotice.objects.create(summary=summary, at=at, **told)
    page = sign_in(stage.nora).get(address(stage, "slow")).content.decode()
    assert "deploy 1.2.3" in page
    assert "deploy 0.9" not in page
