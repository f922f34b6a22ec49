"""A password that was forgotten, one that is changed, and what is told of both to its person."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from notifications.delivery import deliver_batch
from notifications.links import make_link
from notifications.models import Message
from notifications.passwords import MOST_AN_HOUR, ask_reset
from roles.instants import database_now, fixed
from roles.models import AuditEntry, Person
from tests.web.stage import PASSWORD
from web import signin

NEW = "seven slow green trains"
ASKED = "a link is on its way"


@pytest.fixture(autouse=True)
def nobody_has_tried():
    cache.clear()


def ask(called: str) -> str:
    answer = Client().post("/sign-in/forgotten", {"called": called})
    assert answer.status_code == 200
    page: str = answer.content.decode()
    return re.sub(r'(nonce|value)="[^"]*"', "", page)


def link_in(mailoutbox) -> str:
    """The path of the link in the one letter that has one."""
    (mail,) = about_passwords(mailoutbox)
    found = re.search(r"https?://[^/\s]+(/m/\S+/reset)", mail.body)
    assert found, mail.body
    return found[1]


def about_passwords(mailoutbox) -> list:
    """What went out of passwords, among all that the stage has to tell."""
    deliver_batch()
    return [mail for mail in mailoutbox if "password" in mail.subject]


def subjects(person: Person) -> list[str]:
    return list(
        Message.objects.filter(recipient=person).order_by("pk").values_list("subject", flat=True)
    )


def opens(username: str, password: str) -> bool:
    given = {"username": username, "password": password}
    return Client().post("/sign-in", given).status_code == 302


@pytest.mark.parametrize("called", ["INES", "Ines@Example.com"])
def test_whoever_forgot_theirs_chooses_another_by_a_link_that_works_once(
    stage, sign_in, mailoutbox, called
):
    signed_in = sign_in(stage.ines)
    assert ASKED in ask(called)
    path, guest = link_in(mailoutbox), Client()
    assert "ines" in guest.get(path).content.decode()
    assert guest.post(path, {"password": "short"}).status_code == 422
    assert guest.post(path, {"password": NEW}).url == "/"
    assert guest.get("/you").status_code == 200, "signed in"
    assert signed_in.get("/you").status_code == 302, "whoever else was is not any more"
    assert (opens("ines", PASSWORD), opens("ines", NEW)) == (False, True)
    spent = Client().get(path)
    assert spent.status_code == 409
    assert 'href="/sign-in/forgotten"' in spent.content.decode()
    assert Client().post(path, {"password": "eight slow green trains"}).status_code == 409
    assert subjects(stage.ines)[-1] == "Your password was changed"
    assert AuditEntry.objects.filter(action="person.password", actor_id=stage.ines.pk).exists()


def test_nobody_learns_who_has_an_account(stage, mailoutbox):
    stage.omar.is_active = False
    stage.omar.save(update_fields=["is_active"])
    stage.bo.set_unusable_password()
    stage.bo.save(update_fields=["password"])
    known = ask("ines")
    for other in ("nobody", "nobody@example.com", "omar", "bo", "%", "x" * 254):
        assert ask(other) == known
    assert [mail.to for mail in about_passwords(mailoutbox)] == [["ines@example.com"]]


def test_a_link_ends_after_two_hours_and_with_the_password_that_was_forgotten(stage):
    then = database_now() - timedelta(hours=2, minutes=1)
    assert ask_reset(called="ines", clock=fixed(then)) == 1
    old = Message.objects.get(kind="reset")
    path = make_link(old, "reset", clock=fixed(then)).partition("/m/")[2]
    late = Client().get(f"/m/{path}")
    assert late.status_code == 422
    assert "This link is more than 2 hours old." in late.content.decode()

    ask_reset(called="ines")
    ask_reset(called="ines")
    first, second = Message.objects.filter(kind="reset").order_by("-pk")[:2]
    paths = ["/m/" + make_link(each, "reset").partition("/m/")[2] for each in (first, second)]
    assert Client().post(paths[0], {"password": NEW}).status_code == 302
    assert Client().get(paths[1]).status_code == 409
    assert opens("ines", NEW)


def test_a_link_for_a_password_acknowledges_nothing_and_the_other_way_round(stage):
    ask_reset(called="ines")
    token = make_link(Message.objects.get(kind="reset"), "reset").split("/m/")[1].split("/")[0]
    for other in ("", "welcome", "rate", "unsubscribe"):
        assert Client().get(f"/m/{token}/{other}").status_code in (404, 422)
    wrong = make_link(Message.objects.get(kind="reset"), "ack").split("/m/")[1].split("/")[0]
    assert Client().get(f"/m/{wrong}/reset").status_code == 422


def test_no_mailbox_is_flooded_and_asking_is_counted(stage):
    for _ in range(MOST_AN_HOUR + 2):
        ask_reset(called="ines")
    assert Message.objects.filter(kind="reset").count() == MOST_AN_HOUR
    for _ in range(signin.LIMIT_PER_ACCOUNT):
        ask("omar")
    assert Client().post("/sign-in/forgotten", {"called": "omar"}).status_code == 429
    assert opens("omar", PASSWORD), "signing in is counted by itself"
    assert Client().post("/sign-in/forgotten", {"called": " "}).status_code == 422


def test_ones_own_is_changed_by_whoever_knows_it(stage, sign_in):
    here, elsewhere = sign_in(stage.ines), sign_in(stage.ines)
    page = here.post("/you/password", {"current": "wrong", "password": NEW})
    assert page.status_code == 422
    assert "This is not your password." in page.content.decode()
    weak = here.post("/you/password", {"current": PASSWORD, "password": "short"})
    assert weak.status_code == 422
    assert opens("ines", PASSWORD)
    answer = here.post("/you/password", {"current": PASSWORD, "password": NEW})
    assert answer.url == "/you"
    assert here.get("/you").status_code == 200
    assert elsewhere.get("/you").status_code == 302
    assert opens("ines", NEW)
    assert subjects(stage.ines) == ["Your password was changed"]


def test_the_admin_leads_to_the_same_page_for_ones_own(stage):
    root = Person.objects.create_superuser("root", name="Rita Root", email="root@example.com")
    client = Client()
    client.force_login(root)
    assert client.get("/admin/password_change/").url == "/you/password"
    assert client.post("/admin/password_change/", {"old_password": "x"}).url == "/you/password"


def test_a_present_password_cannot_be_guessed_at_an_open_screen(stage, sign_in):
    here = sign_in(stage.ines)
    for _ in range(signin.LIMIT_PER_ACCOUNT):
        here.post("/you/password", {"current": "wrong", "password": NEW})
    right = here.post("/you/password", {"current": PASSWORD, "password": NEW})
    assert right.status_code == 429
    assert not opens("ines", NEW)


def test_whom_an_administrator_gives_another_hears_of_it_from_whom(stage, mailoutbox):
    root = Person.objects.create_superuser("root", name="Rita Root", email="root@example.com")
    client = Client()
    client.force_login(root)
    given = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    answer = client.post(f"/admin/roles/person/{stage.ines.pk}/password/", given)
    assert answer.status_code == 302
    assert opens("ines", NEW)
    (mail,) = about_passwords(mailoutbox)
    assert mail.to == ["ines@example.com"]
    assert "Rita Root has set a new password for you." in mail.body
    assert NEW not in mail.body
