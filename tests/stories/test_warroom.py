"""The room in Slack of a major incident: made once, filled, pinned, and decisions kept from it."""

from urllib.parse import parse_qs

import orjson
import pytest
from slack_sdk.models.blocks import Block

from notifications.channels import slackrooms
from notifications.models import ContactMethod
from roles.refusals import Conflict, Forbidden
from tests.notifications.receiver import receiving
from tests.story import Story
from tickets.incidents import declare_major
from tickets.models import Major, Ticket, TimelineEvent
from tickets.staffing import staff_major
from tickets.warroom import decide, fill_room, open_room
from web.chatcommand import answer

ROOM = "C0ROOM001"
pytestmark = pytest.mark.django_db


@pytest.fixture
def slack(settings, monkeypatch):
    with receiving() as found:
        settings.WEBHOOK_HOSTS = [found.host]
        settings.SLACK_URL = f"http://{found.host}"
        settings.SLACK_BOT_TOKEN = "xoxb-1"
        settings.PUBLIC_URL = "https://desk.example"
        monkeypatch.setattr(slackrooms, "_caller", slackrooms.Caller(per_second=500.0))
        well = {"ok": True, "channel": {"id": ROOM}, "ts": "1503435956.000247"}
        found.says("200 OK", body=orjson.dumps(well))
        yield found


@pytest.fixture
def major(story: Story) -> Ticket:
    ticket = story.open(subject="Mail <!channel> is down")
    declare_major(ticket=ticket, actor=story.incident_manager, reason="Down", clock=story.clock)
    for number, person in enumerate((story.incident_manager, story.agent)):
        ContactMethod.objects.create(
            person=person, channel="slack", address=f"U0MEMBER{number}", verified_at=story.now
        )
    return story.fresh(ticket)


def refuse(slack, method: str, error: str) -> None:
    said = orjson.dumps({"ok": False, "error": error})
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n".encode()
    slack.by_path[f"/api/{method}"] = head + said


def calls(slack) -> list[tuple[str, dict[str, str]]]:
    found = []
    for call in slack.calls:
        given = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        found.append((call.line.split()[1].removeprefix("/api/"), given))
    return found


def opened(story: Story, ticket: Ticket):
    return open_room(ticket=ticket, actor=story.incident_manager, clock=story.clock)


def kinds(ticket: Ticket) -> list[str]:
    events = TimelineEvent.objects.filter(ticket=ticket.pk).order_by("seq")
    return [event.kind for event in events if event.kind.startswith(("room", "decided"))]


def test_a_room_is_made_its_people_asked_in_and_what_is_known_pinned(
    story: Story, slack, major
) -> None:
    staff_major(
        ticket=major,
        actor=story.incident_manager,
        people={"scribe": story.engineer},
        bridge_url="https://bridge.example.org/42",
        clock=story.clock,
    )
    filled = opened(story, major)
    assert [person.username for person in filled.asked] == ["ann", "ivan"]
    assert [person.username for person in filled.missing] == ["cleo"], "no proved member ID"
    made, *invited, post, pin = calls(slack)
    assert made[0] == "conversations.create"
    assert made[1]["name"].startswith(major.key.lower())
    assert {given["users"] for _, given in invited} == {"U0MEMBER0", "U0MEMBER1"}
    assert pin[1] == {"channel": ROOM, "timestamp": "1503435956.000247"}
    for block in Block.parse_all(orjson.loads(post[1]["blocks"])):
        block.validate_json()
    assert "<!channel>" not in post[1]["blocks"]
    assert "https://bridge.example.org/42" in post[1]["blocks"]
    assert f"https://desk.example/majors/{major.key}" in post[1]["blocks"]
    assert kinds(major) == ["room_opened", "room_filled"]
    assert ROOM in Major.objects.get(ticket=major).channel_url


def test_there_is_one_room_and_only_who_leads_makes_it(story: Story, slack, major) -> None:
    with pytest.raises(Forbidden):
        open_room(ticket=major, actor=story.agent, clock=story.clock)
    opened(story, major)
    with pytest.raises(Conflict):
        opened(story, major)
    assert [name for name, _ in calls(slack)].count("conversations.create") == 1


@pytest.mark.parametrize("error", ["name_taken", "restricted_action"])
def test_what_slack_refuses_is_said_and_nothing_is_kept(story: Story, slack, major, error) -> None:
    refuse(slack, "conversations.create", error)
    with pytest.raises(Conflict, match=error):
        opened(story, major)
    assert Major.objects.get(ticket=major).chat_id == ""
    assert kinds(major) == []


@pytest.mark.parametrize("way", ["hang", "reset", "huge"])
def test_a_slack_that_does_not_work_takes_seconds_at_most(
    story: Story, slack, major, way, monkeypatch
) -> None:
    monkeypatch.setattr(slackrooms, "DEADLINE_S", 0.3)
    slack.answer = way
    with pytest.raises(Conflict):
        opened(story, major)


def test_what_broke_off_halfway_is_gone_on_with(story: Story, slack, major) -> None:
    refuse(slack, "chat.postMessage", "not_in_channel")
    refuse(slack, "conversations.invite", "cant_invite")
    with pytest.raises(Conflict, match="not_in_channel"):
        opened(story, major)
    assert Major.objects.get(ticket=major).chat_id == ROOM
    slack.by_path.clear()
    filled = fill_room(ticket=major, actor=story.incident_manager, clock=story.clock)
    assert len(filled.asked) == 2
    assert kinds(major) == ["room_opened", "room_filled", "room_filled"]


def test_decisions_come_back_from_the_room_by_command_without_a_key(
    story: Story, slack, major
) -> None:
    opened(story, major)
    said = answer(story.agent, "decide Roll back to Friday's release", room=ROOM)
    assert major.key in said
    event = TimelineEvent.objects.get(ticket=major, kind="decided")
    assert (event.actor_id, event.is_public) == (story.agent.pk, False)
    assert event.body.text == "Roll back to Friday's release"
    assert f"{major.key} P" in answer(story.agent, "status", room=ROOM)
    assert "told" in answer(story.incident_manager, "update Still on it", room=ROOM)
    assert "no such ticket" in answer(story.agent, "decide It rains", room="C0OTHER01")
    by_key = answer(story.agent, f"decide {major.key} Call the vendor", room="C0OTHER01")
    assert major.key in by_key
    assert answer(story.requester, "decide Stop", room=ROOM).startswith("You can say")


def test_decisions_are_of_majors_under_way(story: Story) -> None:
    with pytest.raises(Conflict):
        decide(ticket=story.open(), actor=story.agent, text="No", clock=story.clock)


def test_names_of_rooms_are_what_slack_takes() -> None:
    name = slackrooms.name_of("INC-000012 Übermäßig “langer” Betreff " + "x" * 100)
    assert len(name) <= 80
    assert name.startswith("inc-000012-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
