"""Acts on a ticket: to whom, with what, and what is said when somebody was faster."""

from collections import Counter
from datetime import timedelta

import pytest

from escalation.contracts import set_contract
from escalation.models import Firing, Run
from notifications.models import Message
from roles.instants import database_now
from tickets.assignment import acknowledge, take
from tickets.lifecycle import resolve
from tickets.links import link
from tickets.models import Category, Clearance, Involvement, Ticket, TicketLink
from tickets.restriction import restrict
from web.register import ACTS


def address(stage, name: str, act: str = "") -> str:
    return f"/tickets/{stage.tickets[name].key}" + (f"/{act}" if act else "")


def reload(stage, name: str) -> Ticket:
    return Ticket.objects.get(pk=stage.tickets[name].pk)


def offered(client, url: str) -> set[str]:
    context = client.get(url).context
    return {act.slug for act in [*context["main_acts"], *context["more_acts"]]}


def test_no_two_acts_share_a_letter():
    letters = Counter(act.key for act in ACTS if act.key)
    taken = {"c", "g", "j", "k", "n", "r", "x"}  # places, rows and the two kinds of message
    assert [key for key, number in letters.items() if number > 1 or key in taken] == []


# ---- Somebody was faster ------------------------------------------------------------------------


def test_an_act_that_no_longer_fits_says_how_things_stand_and_what_to_do(stage, sign_in):
    acknowledge(ticket=reload(stage, "slow"), actor=stage.teo)
    take(ticket=reload(stage, "slow"), actor=stage.teo)
    answer = sign_in(stage.nora).get(address(stage, "slow", "acknowledge"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "somebody was faster" in page
    assert f"{stage.teo} works on it" in page
    assert address(stage, "slow", "escalate") in page
    assert f'method="post" action="{address(stage, "slow", "acknowledge")}"' not in page


def test_a_form_that_came_too_late_keeps_its_words_and_says_how_things_stand(stage, sign_in):
    client = sign_in(stage.nora)
    take(ticket=reload(stage, "slow"), actor=stage.teo)
    resolve(ticket=reload(stage, "slow"), actor=stage.teo, code="fixed", text="Index rebuilt")
    typed = "I have rebuilt the index by hand"
    answer = client.post(address(stage, "slow", "resolve"), {"code": "fixed", "text": typed})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert typed in page
    assert "somebody was faster" in page
    assert "Resolved" in page
    assert reload(stage, "slow").resolution == "Index rebuilt"


# ---- Escalating ---------------------------------------------------------------------------------


@pytest.fixture
def asking(stage):
    """Platform Engineering asks whoever escalates to it for a log."""
    set_contract(
        to_team=stage.teams["platform"],
        needs=[{"slug": "logs", "name": "Logs of the last hour", "required": True}],
    )


def test_the_dialog_says_whom_why_and_what_is_missing(stage, sign_in, asking):
    page = sign_in(stage.nora).get(address(stage, "slow", "escalate")).content.decode()
    assert "Escalate to Platform Engineering on L3 Engineering: " in page
    assert "Petra Novak" in page
    assert "Logs of the last hour" in page
    assert "not measured yet" in page
    assert f"{stage.ada}, who hears which team works on it" in page


def test_another_team_asks_its_own_questions_and_what_was_typed_stays(stage, sign_in, asking):
    client, url = sign_in(stage.nora), address(stage, "slow", "escalate")
    typed = {"reason_code": "skill", "reason": "The plan is wrong", "look": "1"}
    desk = client.post(url, {"to_team": "desk", **typed})
    assert (desk.status_code, desk.context["form"].asked) == (200, [])
    assert "The plan is wrong" in desk.content.decode()
    platform = client.post(url, {"to_team": "platform", **typed})
    assert [field.name for field in platform.context["form"].asked] == ["need_logs"]
    assert reload(stage, "slow").team.slug == "support"


def test_what_is_missing_is_filled_in_there_or_owed_in_a_hurry(stage, sign_in, asking):
    client, url = sign_in(stage.nora), address(stage, "slow", "escalate")
    given = {"to_team": "platform", "reason_code": "skill", "reason": "x"}
    refused = client.post(url, given)
    assert refused.status_code == 422
    assert "this team needs it" in refused.content.decode()
    assert client.post(url, {**given, "urgent": "on"}).status_code == 302
    assert "Still owed" in client.get(address(stage, "slow")).content.decode()


def test_at_the_top_the_incident_manager_is_paged_and_the_work_stays(stage, sign_in, asking):
    client = sign_in(stage.nora)
    given = {"to_team": "platform", "reason_code": "skill", "reason": "x", "need_logs": "here"}
    client.post(address(stage, "slow", "escalate"), given)
    client, url = sign_in(stage.petra), address(stage, "slow", "escalate")
    assert "The incident manager on call" in client.get(url).content.decode()
    answer = client.post(url, {"to_team": "top", "reason_code": "authority", "reason": "Decide"})
    assert answer.status_code == 302
    assert reload(stage, "slow").team.slug == "platform"
    assert Message.objects.filter(recipient=stage.mara, kind="page").exists()


# ---- Together with others -----------------------------------------------------------------------


def test_somebody_called_in_is_told_and_the_ticket_stays(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow", "involve")
    assert client.post(url, {"reason": "help"}).status_code == 422
    both = {"person": "petra", "team": "platform", "reason": "help"}
    assert client.post(url, both).status_code == 422
    assert client.post(url, {"person": "petra", "reason": "help"}).status_code == 302
    assert Involvement.objects.filter(person=stage.petra, left_at=None).exists()
    assert reload(stage, "slow").team.slug == "support"
    helper = sign_in(stage.petra)
    assert "leave" in offered(helper, address(stage, "slow"))
    assert helper.post(address(stage, "slow", "leave")).status_code == 302
    assert "leave" not in offered(helper, address(stage, "slow"))


def test_the_owner_is_named_and_stands_on_the_page(stage, sign_in):
    client, page = sign_in(stage.mara), address(stage, "slow")
    assert "owner" in offered(client, page)
    assert client.post(f"{page}/owner", {"owner": "teo"}).status_code == 422
    named = {"owner": "teo", "reason": "It went to and fro"}
    assert client.post(f"{page}/owner", named).status_code == 302
    assert reload(stage, "slow").owner == stage.teo
    shown = client.get(page).content.decode()
    assert f"made {stage.teo} the owner" in shown
    assert 'value="teo"' in client.get(f"{page}/owner").content.decode()
    assert client.post(f"{page}/owner", {"owner": "ada", "reason": "x"}).status_code == 422


def test_what_a_ticket_is_about_is_said_anew(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow", "classify")
    shown = client.get(url).context["form"]
    assert shown.initial["service"] == reload(stage, "slow").service_id
    category = Category.objects.get()
    assert client.post(url, {"service": "", "category": category.pk}).status_code == 302
    assert (reload(stage, "slow").service, reload(stage, "slow").category) == (None, category)


def test_a_duplicate_is_merged_into_the_ticket_that_goes_on(stage, sign_in):
    other = stage.tickets["payroll"]
    client, url = sign_in(stage.nora), address(stage, "slow", "merge")
    assert client.post(url, {"into": "INC-999999", "reason": "same"}).status_code == 422
    assert client.post(url, {"into": other.key, "reason": "same"}).status_code == 302
    assert reload(stage, "slow").merged_into_id == other.pk


def test_a_link_is_taken_back_and_an_unseen_one_is_not_offered(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    assert "unlink" not in offered(client, url)
    link(
        ticket=reload(stage, "slow"),
        other=reload(stage, "mail"),
        relation="related",
        actor=stage.nora,
    )
    assert "unlink" in offered(client, url)
    taken_back = {"link": str(TicketLink.objects.get().pk)}
    assert client.post(address(stage, "slow", "unlink"), taken_back).status_code == 302
    for name in ("slow", "mail"):
        page = client.get(address(stage, name))
        assert page.status_code == 200
        assert b"took the link with" in page.content
    link(
        ticket=reload(stage, "slow"),
        other=reload(stage, "mail"),
        relation="related",
        actor=stage.nora,
    )
    restrict(ticket=reload(stage, "mail"), actor=stage.omar, reason="a case")
    Clearance.objects.filter(ticket=stage.tickets["mail"]).exclude(person=stage.sam).delete()
    assert "unlink" not in offered(client, url)
    Ticket.objects.filter(pk=stage.tickets["mail"].pk)
    assert TicketLink.objects.exists()


# ---- Its policy ---------------------------------------------------------------------------------


def test_a_policy_is_snoozed_and_goes_on(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    until = f"{database_now() + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    answer = client.post(f"{url}/snooze", {"until": until, "reason": "Vendor calls back at noon"})
    assert answer.status_code == 302
    assert Run.objects.filter(ticket=stage.tickets["slow"].pk, held="snoozed").exists()
    assert client.get(url).context["next_step"] is not None
    assert client.post(f"{url}/end-snooze").status_code == 302
    assert not Run.objects.filter(ticket=stage.tickets["slow"].pk, held="snoozed").exists()


def test_a_step_is_called_by_hand(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow", "call-step")
    form = client.get(url).context["form"]
    name = next(
        value for value, label in form.fields["step"].choices if "incident manager" in label
    )
    before = Firing.objects.count()
    assert client.post(url, {"step": name, "reason": "It is bad"}).status_code == 302
    assert Firing.objects.count() == before + 1
    assert client.post(url, {"step": "0:0", "reason": "x"}).status_code == 422


def test_who_only_reads_is_offered_nothing_of_this(stage, sign_in):
    answer = sign_in(stage.ada).get(address(stage, "slow"))
    assert answer.url == f"/requests/{stage.tickets['slow'].key}"  # a page of the portal, without
    shown = offered(sign_in(stage.ines), address(stage, "slow"))
    assert not shown & {"involve", "merge", "snooze", "call-step", "escalate"}
