"""The search of the queue: what it finds, for whom, and what it says."""

import pytest
from django.db import connection

from roles.instants import database_now
from tests.web.test_queue import queries_of, shown
from tickets.incidents import declare_major
from tickets.lifecycle import comment
from tickets.models import EventBody, Ticket, TicketWords

DESK = {"vpn", "mail", "report", "chair", "payroll"}
FOUND = {
    "payroll": {"payroll"},
    "PAYR": {"payroll"},
    "payrolls": set(),
    "half payroll": {"payroll"},
    '"stops half"': {"payroll"},
    '"half stops"': set(),
    "orders-db-2": {"slow"},
    "502": {"slow"},
    "ten seconds": {"slow"},
    "index rebuild": {"slow"},
    "-payroll team:desk": DESK - {"payroll"},
    "team:support": {"slow"},
    "team:Service": DESK,
    "team:mine": DESK,
    "tier:l2": {"slow"},
    "is:vip": {"slow", "report", "payroll"},
    "is:unassigned": {"slow", "mail", "chair", "payroll"},
    "-is:vip -status:pending": {"mail", "chair"},
    "status:pending": {"vpn"},
    "status:resolved": {"badge"},
    "is:any badge": {"badge"},
    "badge": set(),
    "priority:1": {"slow"},
    "assignee:me": {"report"},
    "assignee:none": {"slow", "mail", "chair", "payroll"},
    "assignee:omar": {"vpn"},
    "requester:bo": {"vpn", "mail", "chair"},
    "requester:lind": {"vpn", "mail", "chair"},
    "opened:<1h": {"slow", "report", "chair"},
    "opened:>2h": {"payroll"},
    "updated:<1d": DESK | {"slow"},
    "kind:request": {"chair"},
    "due:>1w": set(),
    "watcher:me": set(),
    "team:nowhere": set(),
}


@pytest.mark.parametrize(("text", "names"), FOUND.items(), ids=FOUND)
def test_a_search_finds(stage, sign_in, text, names):
    assert shown(sign_in(stage.ines), {"view": "all", "q": text}, stage) == names


def test_a_search_by_part_of_a_key(stage, sign_in):
    client, ticket = sign_in(stage.ines), stage.tickets["slow"]
    series, _, digits = ticket.key.partition("-")
    number = digits.lstrip("0")
    assert "slow" in shown(client, {"view": "all", "q": number}, stage)
    assert "slow" in shown(client, {"view": "all", "q": f"{series}-{digits[:5]}"}, stage)
    assert client.get("/", {"q": f"{series.lower()}-{number}"}).url == f"/tickets/{ticket.key}"


def test_what_is_not_known_is_said_with_what_there_is(stage, sign_in):
    client = sign_in(stage.ines)
    page = client.get("/", {"view": "all", "q": "colour:red payroll"})
    assert [row.ticket.key for row in page.context["page"].rows] == [stage.tickets["payroll"].key]
    assert "There is no “colour:” to search by" in page.content.decode()
    assert "team:" in page.content.decode()
    page = client.get("/", {"view": "all", "q": "team:nowhere"})
    assert "Nothing here is called “nowhere”" in page.content.decode()


def test_requesters_find_their_own_by_public_words_only(stage, sign_in):
    ada = sign_in(stage.ada)

    def found(words: str) -> set[str]:
        return {row["ticket"].key for row in ada.get("/requests", {"q": words}).context["rows"]}

    slow = stage.tickets["slow"].key
    assert found("delay") == {slow}, "the public reply"
    assert found(slow.lower()) == {slow}, "its key"
    assert found("rebuild") == set(), "an internal note"
    assert found("vpn") == set(), "somebody else's"


def test_restricted_words_surface_to_the_cleared_only(stage, sign_in):
    case = stage.tickets["case"]
    comment(ticket=case, actor=stage.sam, text="zebrafish", public=False)
    for text in ("zebrafish", "invoices", "is:restricted", case.key):
        query = {"view": "all", "q": text}
        assert shown(sign_in(stage.ines), query, stage) == set(), text
    by_number = shown(sign_in(stage.ines), {"view": "all", "q": case.key[-3:]}, stage)
    assert "case" not in by_number
    for text in ("zebrafish", "invoices", "is:restricted"):
        assert shown(sign_in(stage.sam), {"view": "all", "q": text}, stage) == {"case"}, text


def test_what_was_missed_is_found(stage, sign_in):
    Ticket.objects.filter(pk=stage.tickets["vpn"].pk).update(breached_at=database_now())
    assert shown(sign_in(stage.ines), {"view": "all", "q": "is:breached"}, stage) == {"vpn"}


def test_majors_have_a_view_and_a_word(stage, sign_in):
    declare_major(ticket=stage.tickets["slow"], actor=stage.mara, reason="All shops")
    client = sign_in(stage.ines)
    assert shown(client, {"view": "major"}, stage) == {"slow"}
    assert shown(client, {"view": "all", "q": "is:major"}, stage) == {"slow"}
    assert sign_in(stage.mara).get("/").context["page"].view.slug == "major"


def test_a_search_costs_no_query_by_row(stage, sign_in):
    client = sign_in(stage.ines)
    many = queries_of(client, '/?view=all&q=is:vip+-mail+"orders"+team:support+assignee:none')
    assert len(many) <= 14, "\n".join(many)


def test_erased_words_are_found_no_more(stage):
    event = TicketWords.objects.filter(event_id__isnull=False).first().event_id
    EventBody.objects.filter(pk=event).delete()
    assert not TicketWords.objects.filter(event_id=event).exists()


def test_a_subject_that_is_rewritten_is_found_by_its_new_words(stage, sign_in):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tickets_ticket SET subject = 'Größe der Platte' WHERE id = %s",
            [stage.tickets["mail"].pk],
        )
    client = sign_in(stage.ines)
    assert shown(client, {"view": "all", "q": "größe"}, stage) == {"mail"}
    assert shown(client, {"view": "all", "q": "suppliers"}, stage) == set()
