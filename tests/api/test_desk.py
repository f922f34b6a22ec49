"""What the desk's page keeps for its people, by program: drafts, views, acts on many, watchers."""

from tests.api.conftest import assert_problem
from tickets.models import Draft, TimelineEvent, Watcher

V1 = "/api/v1/"


def test_a_draft_is_kept_changed_and_thrown_away_by_its_writer_only(story, agent, calling):
    ticket = story.open()
    given = {"ticket": ticket.key.lower(), "text": "We have found it", "public": True}
    kept = agent.post(f"{V1}drafts/", given, idempotency_key='"one"')
    assert kept.status_code == 201, kept.content
    here = f"{V1}drafts/{ticket.key}/"
    assert kept["Location"].endswith(here)
    again = agent.post(f"{V1}drafts/", given, idempotency_key='"one"')
    assert again["Idempotent-Replayed"] == "true"
    changed = agent.call("PATCH", here, {"text": "It is the disk"}, if_match=kept["ETag"])
    assert (changed.json()["text"], changed.json()["public"]) == ("It is the disk", True)
    assert_problem(agent.call("PATCH", here, {"text": "Late"}, if_match=kept["ETag"]), 412)
    assert [row["ticket"] for row in agent.get(f"{V1}drafts/").json()["results"]] == [ticket.key]
    colleague = calling(story.colleague)
    assert colleague.get(f"{V1}drafts/").json()["results"] == []
    assert_problem(colleague.get(here), 404)
    assert agent.call("DELETE", here).status_code == 204
    assert_problem(agent.call("DELETE", here), 404)
    assert not TimelineEvent.objects.filter(ticket=ticket, kind="commented").exists()


def test_a_second_draft_takes_the_place_of_the_first_and_sending_ends_it(story, agent):
    ticket = story.open()
    for text in ("First words", "Better words"):
        agent.post(f"{V1}drafts/", {"ticket": ticket.key, "text": text, "public": False})
    assert Draft.objects.get().text == "Better words"
    said = {"text": "Better words, sent", "public": False}
    assert agent.post(f"{V1}tickets/{ticket.key}/comments/", said).status_code == 201
    assert agent.get(f"{V1}drafts/").json()["results"] == []


def test_a_draft_asks_for_what_its_reply_would_ask_for(story, agent, requester, calling):
    ticket = story.open(requester=story.requester)
    note = {"ticket": ticket.key, "text": "Between us", "public": False}
    assert_problem(requester.post(f"{V1}drafts/", note), 403)
    assert requester.post(f"{V1}drafts/", {**note, "public": True}).status_code == 201
    wrong = agent.post(f"{V1}drafts/", {**note, "text": " "})
    assert assert_problem(wrong, 422)["errors"][0]["pointer"] == "#/text"
    unseen = calling(story.stranger).post(f"{V1}drafts/", note)
    nothing = agent.post(f"{V1}drafts/", {**note, "ticket": "INC-999999"})
    assert assert_problem(unseen, 422)["errors"] == assert_problem(nothing, 422)["errors"]


def test_a_draft_on_a_case_is_gone_for_who_may_know_of_it_no_more(story, calling):
    analyst = calling(story.analyst)
    ticket = story.open(kind="security", requester=story.expert)
    agent = calling(story.agent)
    given = {"ticket": ticket.key, "text": "Half a word", "public": False}
    assert agent.post(f"{V1}drafts/", given).status_code == 201
    assert analyst.act(ticket.key, "restrict", reason="A break-in").status_code == 200
    assert agent.get(f"{V1}drafts/").json()["results"] == []
    assert_problem(agent.get(f"{V1}drafts/{ticket.key}/"), 404)


def test_watchers_are_taken_off_in_one_event(story, agent):
    ticket = story.open()
    people = [story.person("paula"), story.person("percy")]
    for person in people:
        Watcher.objects.create(ticket=ticket, person=person, since=ticket.opened_at)
    names = [person.username for person in people]
    before = ticket.events.count()
    assert agent.act(ticket.key, "take-off", people=names).status_code == 200
    assert agent.get(f"{V1}tickets/{ticket.key}/watchers/").json()["results"] == []
    assert ticket.events.count() == before + 1
    assert_problem(agent.act(ticket.key, "take-off", people=names), 409, "follows_not")
    assert_problem(agent.act(ticket.key, "take-off", people=[]), 422)
