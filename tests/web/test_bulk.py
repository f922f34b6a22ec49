"""Acting on many tickets at once, and taking it back."""

import pytest
from django.urls import reverse

from roles.models import Membership
from tickets.assignment import take
from tickets.bulk import MOST
from tickets.models import BulkAct, Ticket, TimelineEvent
from web import bulk


def act(client, slug: str, tickets, **data):
    keys = [getattr(ticket, "key", ticket) for ticket in tickets]
    given = {"key": keys, "back": "view=all&sort=opened", **data}
    return client.post(reverse(f"web:bulk-{slug}"), given)


def fresh(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def report(client) -> str:
    return " ".join(client.get("/?view=all").content.decode().split())


def undo(client):
    return client.post(reverse("web:bulk-undo", args=[BulkAct.objects.latest("id").token]))


def test_what_one_ticket_refuses_harms_no_other(stage, sign_in):
    client = sign_in(stage.ines)
    wanted = [stage.tickets[name] for name in ("mail", "badge", "chair")]
    response = act(client, "take", [*wanted, "INC-999999", stage.tickets["case"]])
    assert response.url == "/?view=all&sort=opened", "back to where one came from"
    assert {fresh(ticket).assignee_id for ticket in (wanted[0], wanted[2])} == {stage.ines.pk}
    page = report(client)
    assert "2 tickets done, 3 not:" in page
    assert "is resolved; that cannot be done now" in page
    case, nothing = stage.tickets["case"].key, "INC-999999"
    why = {each["key"]: each["why"] for each in BulkAct.objects.get().refused}
    assert why[case] == why[nothing], "a case is as unknown as nothing"
    assert "done" not in report(client), "told once"


def test_taking_is_taken_back_with_an_event_of_its_own(stage, sign_in):
    client = sign_in(stage.ines)
    tickets = [stage.tickets["mail"], stage.tickets["chair"]]
    act(client, "take", tickets)
    undo(client)
    for ticket in tickets:
        assert (fresh(ticket).status, fresh(ticket).assignee_id) == ("waiting_for_support", None)
        assert TimelineEvent.objects.filter(ticket=ticket).latest("seq").kind == "released"
    assert "2 tickets are as before" in report(client)
    undone = BulkAct.objects.get(act="take")
    assert undone.undone_at is not None
    client.post(reverse("web:bulk-undo", args=[undone.token]))
    assert "cannot be taken back any more" in report(client)


def test_what_has_changed_since_stays_as_it_is(stage, sign_in):
    client = sign_in(stage.ines)
    act(client, "take", [stage.tickets["mail"], stage.tickets["chair"]])
    take(ticket=stage.tickets["mail"], actor=stage.omar)
    undo(client)
    assert fresh(stage.tickets["mail"]).assignee_id == stage.omar.pk
    assert fresh(stage.tickets["chair"]).assignee_id is None
    assert "It has changed since" in report(client)


def test_many_go_to_another_team_and_come_back(stage, sign_in):
    client = sign_in(stage.ines)
    tickets = [stage.tickets["mail"], stage.tickets["report"]]
    act(client, "assign", tickets, to=f"team:{stage.teams['support'].pk}", reason="Theirs")
    assert {fresh(ticket).team_id for ticket in tickets} == {stage.teams["support"].pk}
    undo(client)
    assert {fresh(ticket).team_id for ticket in tickets} == {stage.teams["desk"].pk}
    assert fresh(stage.tickets["report"]).assignee_id == stage.ines.pk, "it was hers"


def test_a_lead_assigns_and_overrides_and_takes_both_back(stage, sign_in):
    client = sign_in(stage.ines)
    mail = stage.tickets["mail"]
    act(client, "assign", [mail], to=f"person:{stage.omar.pk}")
    assert fresh(mail).assignee_id == stage.omar.pk
    undo(client)
    assert fresh(mail).assignee_id is None
    act(client, "priority", [mail], priority="2", reason="The board waits")
    assert fresh(mail).priority_override == 2
    undo(client)
    assert fresh(mail).priority_override is None


def test_holding_watching_and_resolving_many(stage, sign_in):
    client = sign_in(stage.ines)
    report_, chair = stage.tickets["report"], stage.tickets["chair"]
    act(client, "pend", [report_], status="pending_vendor", reason="Parts")
    assert fresh(report_).status == "pending_vendor"
    undo(client)
    assert fresh(report_).status == "in_progress"
    act(client, "watch", [report_, chair])
    assert report_.watchers.filter(person=stage.ines).exists()
    undo(client)
    assert not report_.watchers.filter(person=stage.ines).exists()
    act(client, "resolve", [report_, chair], code="fixed", text="Both done.")
    assert {fresh(report_).status, fresh(chair).status} == {"resolved"}
    assert "bulk-undo" not in report(client)
    act(client, "close", [report_, chair])
    assert {fresh(report_).status, fresh(chair).status} == {"closed"}


def test_an_act_that_asks_says_whom_it_reaches_and_keeps_what_was_typed(stage, sign_in):
    client = sign_in(stage.ines)
    key = stage.tickets["report"].key
    asked = client.get(reverse("web:bulk-resolve"), {"key": key, "back": "view=all"})
    assert "Ada Park" in asked.content.decode()
    wrong = act(client, "resolve", [key], code="", text="Kept words")
    assert wrong.status_code == 422
    assert "Kept words" in wrong.content.decode()
    assert client.get(reverse("web:bulk-resolve")).status_code == 200, "nothing chosen: it says so"


def test_offers_follow_the_role(stage, sign_in):
    def offered(person):
        return {kind.slug for kind in bulk.kinds_for(person)}

    assert "priority" in offered(stage.ines)
    assert "priority" not in offered(stage.omar)
    assert "take" in offered(stage.omar)
    response = sign_in(stage.ada).post(reverse("web:bulk-take"), {"key": stage.tickets["slow"].key})
    assert response.status_code == 404


@pytest.mark.parametrize("keys", [[], [f"INC-{n:06d}" for n in range(MOST + 5)]])
def test_none_and_too_many_change_nothing(stage, sign_in, keys):
    act(sign_in(stage.ines), "take", keys)
    assert not BulkAct.objects.exists()


def test_nobody_takes_back_what_another_did(stage, sign_in):
    act(sign_in(stage.ines), "take", [stage.tickets["mail"]])
    assert undo(sign_in(stage.omar)).status_code == 404
    assert Membership.objects.filter(person=stage.omar).exists()
    assert fresh(stage.tickets["mail"]).assignee_id == stage.ines.pk
