"""Addresses that are a right in themselves: nothing in a dump opens them, and keys change."""

import logging

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from notifications import ways, webhooks
from notifications.addresses import LOST, shown_address
from notifications.models import ContactMethod, Hook, Message
from notifications.sealed import is_sealed, seal, unseal
from roles.models import AuditEntry, Person
from tests.notifications.conftest import NOON, deliver, letter, person, post
from tests.notifications.receiver import receiving
from tests.notifications.test_push import subscription

CANARY = "s3cr3t-and-long-enough"
TARGET = f"https://hooks.example/{CANARY}/4711"
OTHER = f"https://hooks.example/other-{CANARY}/4711"


def in_the_database() -> str:
    """Every column of every row, as a dump has it."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f'SELECT to_jsonb(row)::text FROM "{table}" AS row')
            rows += [text for (text,) in cursor.fetchall()]
    return "\n".join(rows)


def method_of(who: Person, channel: str = "teams", address: str = TARGET) -> ContactMethod:
    return ContactMethod.objects.create(
        person=who, channel=channel, address=address, verified_at=NOON
    )


def test_what_is_sealed_opens_in_its_place_alone(settings):
    sealed = seal(TARGET, "hook.url")
    assert is_sealed(sealed)
    assert CANARY not in sealed
    assert unseal(sealed, "hook.url") == TARGET
    assert unseal(sealed, "method.address") == sealed
    assert unseal(sealed[:-4] + "AAA=", "hook.url") != TARGET
    assert seal(sealed, "hook.url") == sealed
    settings.SECRET_KEY = "another"
    assert unseal(sealed, "hook.url") == sealed


def test_a_dump_holds_no_address_that_is_a_right_in_itself(ann, settings):
    """The hook, the workflow, the browser and the service behind Apprise; also in the audit."""
    settings.PUBLIC_URL = "https://desk.example"
    hook, _ = webhooks.create_hook(slug="chat", url=TARGET)
    webhooks.change_hook(hook=hook, name="Chat", url=OTHER, is_active=True)
    ways.add_method(actor=ann, channel="teams", address=TARGET)
    ways.add_method(actor=ann, channel="push", address=subscription(TARGET)[0])
    method_of(ann, "apprise", f"ntfy://user:{CANARY}@ntfy.example/alerts")
    post(letter(ann, channel="teams"))
    assert CANARY not in in_the_database()
    assert Hook.objects.get().url == OTHER
    found = {each.channel: each.address for each in ContactMethod.objects.all()}
    assert found["teams"] == TARGET
    assert CANARY in found["push"]
    assert CANARY in found["apprise"]
    assert (
        AuditEntry.objects.get(action="hook.changed").changes["url"] == ["hooks.example …4711"] * 2
    )


def test_what_one_types_to_be_found_again_stands_open(ann):
    """An answer by text is known by its number, a mail by its sender."""
    method_of(ann, "sms", "+491701234567")
    assert ContactMethod.objects.filter(address="+491701234567").exists()


def test_the_same_address_cannot_stand_twice(ann):
    method_of(ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        method_of(ann)
    first = ways.add_method(actor=person("bob"), channel="teams", address=TARGET)
    assert ways.add_method(actor=first.person, channel="teams", address=TARGET) == first


def test_after_a_change_of_keys_all_is_sealed_anew(ann, settings, capsys):
    method, (hook, _) = method_of(ann), webhooks.create_hook(slug="chat", url=TARGET)
    before = in_the_database()
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert Hook.objects.get().url == ContactMethod.objects.get().address == TARGET
    call_command("reseal")
    assert "2 addresses" in capsys.readouterr().out
    settings.SECRET_KEY_FALLBACKS = []
    hook.refresh_from_db()
    method.refresh_from_db()
    assert (hook.url, method.address) == (TARGET, TARGET)
    assert in_the_database() != before


def test_an_address_whose_key_is_lost_is_named_kept_and_never_called(ann, settings):
    method = method_of(ann)
    post(letter(ann, channel="teams", urgency="high"))
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(CommandError, match=f"contact method {method.pk}"):
        call_command("reseal")
    deliver()
    message = Message.objects.filter(channel="teams").get()
    assert (message.state, message.finished_reason) == (
        "dead",
        "The recipient has no address for teams.",
    )
    lost = ContactMethod.objects.get()
    assert shown_address("teams", lost.address) == LOST
    lost.save()
    settings.SECRET_KEY = key
    assert ContactMethod.objects.get().address == TARGET


@pytest.mark.parametrize("says", ["200 OK", "503 Later", "404 None", "302 Elsewhere", "reset"])
def test_no_log_holds_such_an_address_however_much_it_says(ann, settings, caplog, says):
    """Not at the level of debugging either, at which the HTTP library tells each path."""
    caplog.set_level(logging.DEBUG)
    with receiving() as receiver:
        settings.WEBHOOK_HOSTS = [receiver.host]
        address = f"http://{receiver.host}/{CANARY}"
        method_of(ann, "teams", address)
        hook, _ = webhooks.create_hook(slug="chat", url=address)
        data = {"event": {"type": "x"}}
        if says == "reset":
            receiver.answer = says
        else:
            receiver.says(says, f"Location: {address}")
        post(
            letter(ann, channel="teams"),
            letter(hook.account, channel="webhook", kind="webhook", data=data),
        )
        deliver()
        assert len(receiver.calls) == 2
    assert CANARY not in caplog.text
    assert CANARY not in in_the_database()


@pytest.fixture
def root(db, client) -> Person:
    root = person("root")
    root.is_staff = root.is_superuser = True
    root.save()
    client.force_login(root)
    return root


def test_the_admin_writes_such_an_address_and_never_shows_it(client, root, ann):
    hook, _ = webhooks.create_hook(slug="chat", url=TARGET)
    method = method_of(ann)
    pages = [
        reverse("admin:notifications_hook_changelist"),
        reverse("admin:notifications_hook_change", args=[hook.pk]),
        reverse("admin:notifications_contactmethod_changelist"),
        reverse("admin:notifications_contactmethod_change", args=[method.pk]),
    ]
    for page in pages:
        shown = client.get(page).content.decode()
        assert "hooks.example …4711" in shown, page
        assert CANARY not in shown, page
    given = {"name": "Talk", "is_active": "on", "shape": "standard", "filters": "{}", "url": ""}
    assert client.post(pages[1], given).status_code == 302
    held = {"person": ann.pk, "channel": "teams", "address": "", "is_active": "on"}
    assert client.post(pages[3], held).status_code == 302
    assert (Hook.objects.get().name, Hook.objects.get().url) == ("Talk", TARGET)
    assert ContactMethod.objects.get().address == TARGET
    client.post(pages[3], {**held, "address": OTHER})
    assert ContactMethod.objects.get().address == OTHER
    assert CANARY not in in_the_database()


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        ("sms", "12", "country"),
        ("teams", "http://10.0.0.1/", "https://"),
        ("apprise", "nothing", "Apprise"),
        ("email", "", "Say where"),
    ],
)
def test_the_admin_takes_no_address_that_its_channel_cannot_use(
    client, root, ann, channel, address, said
):
    given = {"person": ann.pk, "channel": channel, "address": address, "is_active": "on"}
    answer = client.post(reverse("admin:notifications_contactmethod_add"), given)
    assert answer.status_code == 200
    assert said in str(answer.context["adminform"].form.errors)
    assert not ContactMethod.objects.exists()


def test_the_admin_takes_no_event_that_does_not_exist(client, root):
    hook, _ = webhooks.create_hook(slug="chat", url=TARGET)
    page = reverse("admin:notifications_hook_change", args=[hook.pk])
    given = {"name": "Chat", "is_active": "on", "shape": "standard", "filters": "{}", "url": ""}
    answer = client.post(page, {**given, "events": "ticket.solved"}, follow=True)
    assert "There are no such events: ticket.solved" in answer.content.decode()
    client.post(page, {**given, "events": "ticket.resolved,ticket.*"})
    assert Hook.objects.get().events == ["ticket.resolved", "ticket.*"]
