"""How one is told, and who was told what: the pages."""

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications import ways
from notifications.bundling import TOLD_WITH
from notifications.models import ContactMethod, ContactRule, Message, Ways
from notifications.opened import open_url
from roles.instants import database_now
from roles.models import AuditEntry
from roles.people import forget_roles
from tests.notifications.test_push import AUTH, P256DH


@pytest.fixture
def phoned(stage, settings):
    settings.TELEPHONY_ACCOUNT, settings.TELEPHONY_TOKEN = "AC1", "secret"
    settings.TELEPHONY_FROM = "+15005550006"
    return stage


def read(client, name="web:told", *args) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def test_the_page_says_how_a_page_comes_and_warns_of_mail_alone(stage, sign_in):
    page = read(sign_in(stage.teo))
    assert "A page reaches you at once by E-mail." in page
    assert "Mail wakes nobody" in page


def test_an_address_is_added_proved_and_used(phoned, sign_in):
    client = sign_in(phoned.teo)
    given = {"channel": "sms", "address": "+49 170 1234567"}
    assert client.post(reverse("web:told-add"), given).status_code == 302
    method = ContactMethod.objects.get(person=phoned.teo)
    assert "not proved yet" in read(client)
    code = Message.objects.get(kind="code").subject[-6:]
    assert code not in read(client), "else the page would prove what the address should"
    prove = reverse("web:told-prove", args=[method.pk])
    wrong = client.post(prove, {f"m{method.pk}-code": "1"})
    assert wrong.status_code == 422
    assert "not the code" in wrong.content.decode()
    assert client.post(prove, {f"m{method.pk}-code": code}).status_code == 302
    rules = {"high-email": "0", "high-sms": "300"}
    assert client.post(reverse("web:told-rules", args=["high"]), rules).status_code == 302
    assert "at once by E-mail, after 5 minutes by Text message" in read(client)
    assert client.post(reverse("web:told-method", args=[method.pk, "test"])).status_code == 302
    assert "Test: this is how" in read(client)
    assert client.post(reverse("web:told-method", args=[method.pk, "remove"])).status_code == 302
    assert not ContactRule.objects.filter(channel="sms").exists()


def test_what_is_wrong_is_said_beside_the_field_and_stays_typed(phoned, sign_in):
    answer = sign_in(phoned.teo).post(
        reverse("web:told-add"), {"channel": "sms", "address": "0170 nonsense"}
    )
    assert answer.status_code == 422
    assert "with its country" in answer.content.decode()
    assert "0170 nonsense" in answer.content.decode()


def test_quiet_hours_are_kept_and_half_of_them_refused(stage, sign_in):
    client = sign_in(stage.teo)
    given = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert client.post(reverse("web:told-quiet"), given).status_code == 302
    assert Ways.objects.get(person=stage.teo).quiet_from.hour == 22
    assert 'value="22:00"' in read(client)
    half = client.post(reverse("web:told-quiet"), {"quiet_from": "22:00"})
    assert half.status_code == 422


def test_pages_are_handed_on_to_a_colleague_of_the_team_and_taken_back(stage, sign_in):
    team = stage.teams["desk"]
    one, two = [each.person for each in team.memberships.select_related("person")[:2]]
    client = sign_in(one)
    given = {"until": "2099-01-01T00:00", "taker": two.pk}
    far = client.post(reverse("web:told-away"), given)
    assert far.status_code == 422
    assert "30 days" in far.content.decode()
    tomorrow = f"{database_now().date()}T23:59"
    given["until"] = tomorrow
    one.zone = "UTC"
    one.save()
    assert client.post(reverse("web:told-away"), given).status_code == 302
    assert f"{two} takes your pages" in read(client)
    assert client.post(reverse("web:told-back")).status_code == 302
    assert "takes your pages until" not in read(client)


def test_nobody_touches_anothers_address(phoned, sign_in):
    method = ContactMethod.objects.create(person=phoned.omar, channel="sms", address="+4917012345")
    client = sign_in(phoned.teo)
    for verb in ("again", "test", "remove", "steal"):
        address = reverse("web:told-method", args=[method.pk, verb])
        assert client.post(address).status_code == 404
    assert client.post(reverse("web:told-prove", args=[method.pk]), {}).status_code == 404


def test_the_page_asks_a_fixed_number_of_queries(phoned, sign_in, django_assert_max_num_queries):
    for number in range(9):
        ContactMethod.objects.create(
            person=phoned.teo, channel="sms", address=f"+4917012345{number:02}"
        )
    client = sign_in(phoned.teo)
    with django_assert_max_num_queries(14):
        read(client)


# ---- Who was told ------------------------------------------------------------------------------


def message(stage, **changes) -> Message:
    now = database_now()
    given = {
        "key": f"key-{Message.objects.count()}",
        "topic": stage.tickets["slow"].topic,
        "cause": f"event:{Message.objects.count()}",
        "recipient": stage.omar,
        "kind": "page",
        "urgency": "high",
        "subject": "You are paged",
        "state": "dead",
        "finished_reason": "Gave up after 8 tries.",
        "next_attempt_at": now,
        "created_at": now,
        "finished_at": now,
    }
    return Message.objects.create(**{**given, **changes})


def test_who_was_told_is_listed_with_what_came_of_it(stage, sign_in):
    message(stage)
    now = database_now()
    message(stage, state="sent", sent_at=now, acted_at=now, finished_reason="")
    message(stage, state="queued", finished_at=None, finished_reason="")
    page = read(sign_in(stage.ines), "web:delivered", stage.tickets["slow"].key)
    for word in ("could not be delivered", "Gave up after 8 tries", "acknowledged", "planned"):
        assert word in page
    assert "Send again" not in page, "only administrators do that"


def test_what_was_told_with_another_message_says_so_in_words_and_leads_to_it(stage, sign_in):
    now = database_now()
    sent = message(stage, state="sent", sent_at=now, finished_at=now, finished_reason="")
    told, at = TOLD_WITH.format(key=sent.key), now.astimezone(ZoneInfo(stage.ines.zone))
    message(stage, state="dropped", finished_at=now, finished_reason=told, recipient=stage.ines)
    for address, args in (
        ("web:delivered", [stage.tickets["slow"].key]),
        ("web:told", []),
        ("web:ticket", [stage.tickets["slow"].key]),
    ):
        page = read(sign_in(stage.ines), address, *args)
        assert f"Told together with the message of {at:%H:%M} by E-mail." in page
        assert sent.key not in page
    page = read(sign_in(stage.ines), "web:delivered", stage.tickets["slow"].key)
    assert f'<a href="#message-{sent.pk}">Told together' in page
    assert f'id="message-{sent.pk}"' in page


def test_a_dead_letter_is_sent_again_with_one_press(stage, sign_in):
    dead = message(stage)
    stage.ines.is_superuser = True
    stage.ines.save()
    forget_roles(stage.ines)
    client = sign_in(stage.ines)
    key = stage.tickets["slow"].key
    assert "Send again" in read(client, "web:delivered", key)
    client.post(reverse("web:delivered-again", args=[key]), {"message": dead.pk})
    dead.refresh_from_db()
    assert dead.state == "queued"


def test_whoever_follows_the_link_of_their_own_message_has_opened_it(stage, sign_in):
    path = f"/tickets/{stage.tickets['slow'].key}"
    sent = message(stage, state="sent", sent_at=database_now(), data={"url": path})
    link = urlsplit(open_url(sent))
    path = f"{link.path}?{link.query}"

    def opened():
        return Message.objects.get(pk=sent.pk).opened_at

    client = sign_in(stage.omar)
    Client().get(path)  # as a mail scanner does: it is led to the sign-in
    sign_in(stage.teo).get(path)  # to whom it was forwarded
    client.post(path)
    client.get(f"/tickets/INC-999999?{link.query}")
    for odd in ("x", "-1", "9" * 30, "²"):
        assert client.get(link.path, {"told": odd}).status_code == 200
    assert opened() is None
    client.get(path)
    first = opened()
    assert first is not None
    client.get(path)
    assert opened() == first, "the first time counts"
    assert "opened" in read(client, "web:delivered", stage.tickets["slow"].key)


@pytest.mark.parametrize("channel", ["teams", "push"])
def test_an_address_that_is_a_right_in_itself_stands_in_no_record(stage, settings, channel):
    settings.PUBLIC_URL = "https://desk.example"
    url = "https://hooks.example/workflows/s3cr3t-and-long-enough/4711"
    keys = {"p256dh": P256DH, "auth": AUTH}
    address = url if channel == "teams" else orjson.dumps({"endpoint": url, "keys": keys}).decode()
    method = ways.add_method(actor=stage.teo, channel=channel, address=address)
    ways.remove_method(actor=stage.teo, method=method)
    told = str(list(AuditEntry.objects.values_list("changes", flat=True)))
    assert "hooks.example …4711" in told
    assert "s3cr3t" not in told


def test_a_requester_does_not_read_who_was_told(stage, sign_in):
    key = stage.tickets["slow"].key
    requester = stage.tickets["slow"].requester
    assert sign_in(requester).get(reverse("web:delivered", args=[key])).status_code == 404


def test_the_list_asks_a_fixed_number_of_queries(stage, sign_in, django_assert_num_queries):
    client, key = sign_in(stage.ines), stage.tickets["slow"].key
    message(stage)
    read(client, "web:delivered", key)
    with CaptureQueriesContext(connection) as few:
        read(client, "web:delivered", key)
    for _ in range(5):
        message(stage)
    with django_assert_num_queries(len(few)):
        read(client, "web:delivered", key)
