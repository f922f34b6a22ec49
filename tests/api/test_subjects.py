"""What programs can read and change beside tickets: each subject once through its acts."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from notifications.models import Message
from roles.instants import database_now
from roles.models import ApiToken
from tests.api.conftest import assert_problem
from tests.story import page, unacknowledged
from tickets.models import Ticket

V1 = "/api/v1/"


@pytest.fixture
def admin(story, calling):
    return calling(story.admin)


@pytest.fixture
def manager(story, calling):
    return calling(story.incident_manager)


CONFIGURED = [
    ("tiers", {"slug": "l9", "name": "L9", "kind": "ladder", "rank": 9}, {"name": "Ninth"}),
    ("services", {"slug": "fax", "name": "Fax"}, {"description": "Letters"}),
    ("categories", {"slug": "disk", "name": "Disk"}, {"is_active": False}),
    ("calendars", {"slug": "night", "name": "Nights"}, {"name": "By night"}),
    ("teams", {"slug": "new", "name": "New", "tier": "l1", "calendar": "always"}, {"name": "Old"}),
    ("vendors", {"slug": "acme", "name": "Acme"}, {"contract": "A-1"}),
    ("targets", {"slug": "fast", "name": "Fast", "position": 5}, {"position": 6}),
    ("policies", {"slug": "mine", "name": "Mine", "position": 5}, {"is_active": False}),
]


@pytest.mark.parametrize(("subject", "given", "change"), CONFIGURED)
def test_configuration_is_made_read_and_changed(admin, agent, subject, given, change):
    made = admin.post(f"{V1}{subject}/", given)
    assert made.status_code == 201, made.content
    here = f"{V1}{subject}/{given['slug']}/"
    assert made["Location"].endswith(here)
    assert_problem(admin.post(f"{V1}{subject}/", given), 409, "slug_taken")
    changed = admin.call("PATCH", here, change, if_match=made["ETag"])
    assert changed.status_code == 200, changed.content
    assert {name: changed.json()[name] for name in change} == change
    assert_problem(admin.call("PATCH", here, change, if_match=made["ETag"]), 412)
    shown = {name: agent.get(here).json()[name] for name in change}
    assert shown == change
    assert admin.get(here, if_none_match=changed["ETag"]).status_code == 304
    assert_problem(agent.call("PATCH", here, change), 403)


def test_a_draft_is_compared_published_and_moved_to(story, manager, agent):
    policy = story.policy("any", unacknowledged(5, "Page", page("on_call")))
    story.open()
    here = f"{V1}policies/{policy.slug}/"
    steps = manager.get(here).json()["current"]["steps"]
    for step in steps:
        step.pop("position")
    steps[0]["delay_s"] = 600
    drafted = manager.post(f"{here}draft/", {"steps": steps})
    assert drafted.json()["draft"]["steps"][0]["delay_s"] == 600
    assert agent.get(here).json()["draft"] is None
    difference = manager.get(f"{here}diff/").json()
    assert difference["changed"] == ["Page"]
    assert difference["touched_count"] == 1
    assert manager.post(f"{here}publish/").json()["revision"] == 2
    assert manager.post(f"{here}move/", {"reason": "Better"}).json() == {"moved": 1, "left": 0}
    assert len(agent.get(f"{here}revisions/").json()["results"]) == 2
    assert_problem(agent.post(f"{here}publish/"), 403)
    wrong = manager.post(f"{here}draft/", {"steps": [{"name": "x", "trigger": "never"}]})
    assert assert_problem(wrong, 422)["errors"][0]["pointer"].startswith("#/steps")


def test_hours_and_targets_are_published(admin):
    hours = {"zone": "Europe/Berlin", "hours": "Mon-Fri 09:00-17:00", "country": "DE"}
    published = admin.post(f"{V1}calendars/office/publish/", hours).json()
    assert published["current"]["hours"] == "Mon-Fri 09:00-17:00"
    assert "Christmas" in " ".join(published["current"]["public_holidays"].values()) or published
    assert_problem(admin.post(f"{V1}calendars/office/publish/", {**hours, "hours": "never"}), 422)
    admin.post(f"{V1}targets/", {"slug": "fast", "name": "Fast", "position": 5})
    wording = {"clock": "resolution", "seconds": 3600, "pauses": ["pending_requester"]}
    current = admin.post(f"{V1}targets/fast/publish/", wording).json()["current"]
    assert current["seconds"] == 3600


def test_shifts_overrides_and_swaps(story, agent, admin, calling):
    now = database_now()
    start, end = (now + timedelta(hours=hours) for hours in (1, 3))
    span = f"since={now:%Y-%m-%dT%H:%M:%SZ}&until={now + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    if admin.get(f"{V1}schedules/desk/").status_code == 404:
        admin.post(f"{V1}schedules/", {"team": "desk", "zone": "UTC"})
    layer = {
        "name": "All",
        "people": [story.agent.username],
        "starts_on": "2026-01-01",
        "handover_time": "09:00",
        "shift_days": 7,
    }
    published = admin.post(f"{V1}schedules/desk/publish/", {"layers": [layer]})
    assert published.json()["layers"][0]["people"] == [story.agent.username], published.content
    given = {"team": "desk", "person": story.colleague.username}
    given |= {"start": start.isoformat(), "end": end.isoformat()}
    override = admin.post(f"{V1}overrides/", given).json()
    served = agent.get(f"{V1}teams/desk/shifts/?{span}").json()["results"]
    assert story.colleague.username in [shift["person"]["username"] for shift in served]
    assert admin.call("DELETE", f"{V1}overrides/{override['id']}/").status_code == 204
    swap = {"team": "desk", "giver": story.agent.username, "taker": story.colleague.username}
    swap |= {"start": start.isoformat(), "end": end.isoformat()}
    offered = agent.post(f"{V1}swaps/", swap)
    assert offered.status_code == 201, offered.content
    agreed = calling(story.colleague).post(f"{V1}swaps/{offered.json()['id']}/accept/")
    assert agreed.json()["state"] == "accepted"


def test_an_article_is_drafted_published_found_and_voted_on(story, agent, calling, requester):
    lead = calling(story.lead)
    given = {"title": "Paper jam", "body": "Open the back door.", "audience": "public"}
    drafted = agent.post(f"{V1}articles/", given)
    assert drafted.status_code == 201, drafted.content
    here = f"{V1}articles/{drafted.json()['id']}/"
    assert requester.get(here).status_code == 404
    assert lead.post(f"{here}publish/").json()["state"] == "published"
    found = requester.get(f"{V1}suggestions/?text=paper+jam").json()["results"]
    assert found[0]["article"] == drafted.json()["id"]
    assert requester.get(f"{V1}articles/?q=jam").json()["results"][0]["id"] == found[0]["article"]
    assert requester.post(f"{here}vote/", {"helpful": True}).json()["helped"] == 1
    assert requester.get(here).json()["draft"] is None


def test_a_simulation_is_a_job_whose_progress_is_read(story, manager):
    now = database_now()
    asked = {"since": (now - timedelta(days=30)).isoformat(), "until": now.isoformat()}
    begun = manager.post(f"{V1}simulations/", asked)
    assert begun.status_code == 202, begun.content
    job = begun["Location"].removeprefix("http://testserver")
    job = job[job.index(V1) :]
    assert manager.get(job).json()["state"] == "queued"
    assert manager.get(job).json()["progress"] == 0
    assert manager.post(f"{job}stop/").json()["state"] == "stopped"
    assert_problem(manager.post(f"{job}stop/"), 409)


def test_the_configuration_travels_as_yaml(admin, agent):
    told = admin.get(f"{V1}config/?only=services")
    assert told["Content-Type"] == "application/yaml"
    text = told.content.decode()
    client, headers = admin.client, {"Authorization": f"Bearer {admin.plain}"}
    plan = client.post(f"{V1}config/plan/", text, content_type="application/yaml", headers=headers)
    assert plan.json()["changes"] == 0, plan.content
    broken = client.post(
        f"{V1}config/apply/", "nonsense: [", content_type="application/yaml", headers=headers
    )
    assert_problem(broken, 422, "bad_file")
    assert_problem(agent.get(f"{V1}config/"), 403)


def test_a_token_is_shown_once_and_ends_when_revoked(story, agent, calling):
    made = agent.post(f"{V1}tokens/", {"name": "ci", "scopes": ["tickets:read"]}).json()
    again = calling(None)
    again.plain = made["plain"]
    assert again.get(f"{V1}tickets/").status_code == 200
    assert_problem(again.post(f"{V1}tickets/", {"subject": "x"}), 403, "scope_missing")
    assert agent.post(f"{V1}tokens/{made['token']['id']}/revoke/").json()["revoked_at"]
    assert again.get(f"{V1}tickets/").status_code == 401
    foreign = calling(story.colleague)
    other = ApiToken.objects.filter(person=story.colleague).get()
    assert agent.post(f"{V1}tokens/{other.pk}/revoke/").status_code == 404
    someone = {"name": "x", "scopes": ["tickets:read"], "person": story.agent.username}
    assert_problem(foreign.post(f"{V1}tokens/", someone), 403)


def test_a_token_makes_none_that_may_do_more_or_lasts_longer(story, calling):
    tokens = f"{V1}tokens/"
    narrow = calling(story.admin, "admin:write", "tickets:read")
    for beyond in ("tickets:write", "admin:read"):
        body = {"name": "x", "scopes": ["tickets:read", beyond]}
        problem = assert_problem(narrow.post(tokens, body), 422)
        assert problem["errors"][0]["pointer"] == "#/scopes"
        assert beyond in problem["errors"][0]["detail"]
    assert narrow.post(tokens, {"name": "x", "scopes": ["tickets:read"]}).status_code == 201
    end = database_now() + timedelta(hours=1)
    ApiToken.objects.filter(name="test").update(expires_at=end)
    for until in (None, (end + timedelta(minutes=1)).isoformat()):
        body = {"name": "y", "scopes": ["tickets:read"], "expires_at": until}
        assert assert_problem(narrow.post(tokens, body), 422)["errors"][0]["pointer"] == (
            "#/expires_at"
        )
    assert narrow.post(tokens, {**body, "expires_at": end.isoformat()}).status_code == 201


def test_the_outbox_is_for_administrators_and_shows_no_case(story, admin, agent):
    story.open()
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    shown = admin.get(f"{V1}messages/").json()["results"]
    assert shown
    told = Message.objects.filter(topic=secret.topic).values_list("key", flat=True)
    assert not set(told) & {message["key"] for message in shown}
    assert_problem(agent.get(f"{V1}messages/"), 403)


def test_a_case_is_opened_in_an_emergency(story, calling):
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    admin = calling(story.admin)
    assert admin.get(f"{V1}tickets/{secret.key}/").status_code == 404
    opened = admin.post(f"{V1}break-glass/", {"key": secret.key, "reason": "Nobody is here"})
    assert opened.json()["key"] == secret.key, opened.content
    knowing = admin.get(f"{V1}tickets/{secret.key}/clearances/").json()["results"]
    assert story.admin.username in [row["person"]["username"] for row in knowing]
    lost = admin.post(f"{V1}break-glass/", {"key": "RES-999999", "reason": "Nobody is here"})
    assert lost.status_code in (404, 422)


def test_a_major_incident_is_led(story, manager, agent):
    ticket, child = story.open(), story.open(subject="Same")
    assert agent.act(ticket.key, "propose-major", reason="All are down").status_code == 200
    assert manager.act(ticket.key, "accept-major").status_code == 200
    assert manager.act(ticket.key, "attach-child", child=child.key).status_code == 200
    assert manager.act(ticket.key, "update-major", text="On it").status_code == 200
    record = manager.get(f"{V1}tickets/{ticket.key}/major/").json()
    assert (record["state"], record["children"]) == ("accepted", [child.key])
    assert manager.get(f"{V1}majors/").json()["results"][0]["key"] == ticket.key
    solved = manager.act(ticket.key, "resolve-major", code="solved", text="Router")
    assert solved.status_code in (200, 422)


def test_one_act_on_many_tells_of_each(story, agent):
    mine, other = story.open(), story.open(subject="Other")
    secret = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    keys = [mine.key, other.key.lower(), secret.key, "INC-999999"]
    told = agent.post(f"{V1}bulk/", {"act": "take", "keys": keys}).json()
    assert told["done"] == 2
    assert [row["status"] for row in told["results"]] == [200, 200, 404, 404]
    assert told["results"][2] == {**told["results"][3], "key": secret.key}
    assert set(Ticket.objects.filter(assignee=story.agent)) == {mine, other}
    assert_problem(agent.post(f"{V1}bulk/", {"act": "pend", "keys": [mine.key]}), 422)


def test_files_go_out_with_a_comment(story, agent, requester):
    ticket = story.open()
    here = f"{V1}tickets/{ticket.key}/"
    kept = send_file(agent, here, b"log line")
    assert kept.status_code == 201, kept.content
    number = kept.json()["id"]
    assert requester.get(f"{here}attachments/{number}/").status_code == 404
    said = {"text": "See the log", "public": True, "attachments": [number]}
    assert agent.post(f"{here}comments/", said).status_code == 201
    answer = requester.get(f"{here}attachments/{number}/")
    assert b"".join(answer.streaming_content) == b"log line"
    assert requester.get(f"{here}attachments/").json()["results"][0]["comment"]
    assert_problem(send_file(agent, here, b"MZ evil"), 422, "program")


def send_file(caller, here, content):
    headers = {"Authorization": f"Bearer {caller.plain}"}
    upload = SimpleUploadedFile("app.log", content)
    return caller.client.post(f"{here}attachments/", {"file": upload}, headers=headers)


def test_only_the_members_asked_for_are_shown(story, agent):
    ticket = story.open()
    here = f"{V1}tickets/"
    assert agent.get(f"{here}?fields=key,status").json()["results"][0] == {
        "key": ticket.key,
        "status": ticket.status,
    }
    assert set(agent.get(f"{here}{ticket.key}/?fields=key,allowed").json()) == {"key", "allowed"}
    assert_problem(agent.get(f"{here}?fields=key,secret"), 400, "bad_parameter")


def test_whom_and_why_are_told(story, agent):
    story.target("resolution", 240)
    story.policy("any", unacknowledged(5, "Page", page("on_call")))
    ticket = story.open()
    here = f"{V1}tickets/{ticket.key}/"
    whom = agent.get(f"{here}whom/").json()
    assert whom["recommended"]["team"]["slug"] in whom["advice"].lower() or whom["advice"]
    told = agent.get(f"{here}explain/").json()
    assert told["escalated"] == ["It has not been escalated."]
    assert told["unpaged"]
    clock = agent.get(f"{here}clocks/").json()["results"][0]
    assert {"whole", "late", "late_s"} == set(clock["segments"])
    assert agent.get(f"{here}runs/").json()["results"][0]["policy"] == "any"
