"""Names in what one writes: who is offered, who is told and watches from then on."""

from notifications.models import Message
from roles.models import Person
from tickets.models import Clearance


def address(stage, name: str, part: str = "") -> str:
    return f"/tickets/{stage.tickets[name].key}" + (f"/{part}" if part else "")


def send(client, url: str, **given):
    return client.post(f"{url}/comment", {"mode": "note", "text": "x", **given})


def test_somebody_named_watches_from_now_on_and_is_told(stage, sign_in):
    client, url = sign_in(stage.nora), address(stage, "slow")
    send(client, url, text="@Omar can you look? Mail ada@example.com, not @nobody.")
    assert stage.tickets["slow"].watchers.filter(person=stage.omar).exists()
    told = Message.objects.filter(recipient=stage.omar, kind="mentioned")
    assert told.count() == 1
    assert not Message.objects.filter(recipient=stage.ada, kind="mentioned").exists()


def test_who_may_not_read_it_is_not_told_of_it(stage, sign_in):
    client = sign_in(stage.nora)
    answer = send(client, address(stage, "slow"), text="@bo and @ada see this")
    page = client.get(answer.url).content.decode()
    assert f"Not told, because they may not read this: {stage.ada}, {stage.bo}" in page
    client = sign_in(stage.sam)
    send(client, address(stage, "case"), text="@omar")
    assert not Message.objects.filter(kind="mentioned").exists()


def test_only_those_are_offered_by_name_whom_it_would_reach(stage, sign_in):
    def offered(who, name, **asked):
        page = sign_in(who).get(address(stage, name, "names"), asked)
        return [person.username for person in page.context["people"]]

    assert offered(stage.nora, "slow", q="OM") == ["omar"]
    assert offered(stage.nora, "slow", q="") == []
    assert offered(stage.nora, "slow", q="ada") == []  # she asked, but reads no notes
    assert offered(stage.nora, "slow", q="ada", mode="reply") == ["ada"]
    assert offered(stage.sam, "case", q="omar") == []
    Clearance.objects.create(ticket=stage.tickets["case"], person=stage.omar)
    assert offered(stage.sam, "case", q="omar") == ["omar"]
    asked = sign_in(stage.ada).get(address(stage, "slow", "names"), {"q": "omar"})
    assert asked.status_code == 404
    assert sign_in(stage.nora).get(address(stage, "case", "names")).status_code == 404


def test_those_of_the_ticket_are_offered_before_others_however_many_there_are(stage, sign_in):
    crowd = [Person(username=f"tea{n}", name=f"Tea {n}", email=f"tea{n}@x.org") for n in range(60)]
    Person.objects.bulk_create(crowd)
    Person.objects.filter(username="omar").update(name="Ted Aaron")
    page = sign_in(stage.nora).get(address(stage, "slow", "names"), {"q": "te"})
    assert [person.username for person in page.context["people"]] == ["teo", "omar"]
