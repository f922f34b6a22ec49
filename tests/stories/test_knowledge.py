"""What is known: drafted by many, published by few, found by the words that people use."""

import pytest
from django.db import DatabaseError, transaction

from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets import knowledge
from tickets.articles import (
    draft_article,
    draft_from,
    edit_article,
    publish_article,
    retire_article,
    spare,
    use_article,
    vote,
)
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.models import Article, ArticleRevision, ArticleVote, Deflection, TimelineEvent
from tickets.problems import diagnose
from tickets.restriction import restrict
from tickets.runbooks import checklists, tick

VPN = "Open the client, choose **Frankfurt** and sign in with your mail address."


def article(story: Story, **about) -> Article:  # type: ignore[no-untyped-def]
    given = {"title": "Connect to the VPN from home", "body": VPN, "audience": "public"}
    made = draft_article(actor=story.agent, clock=story.clock, **{**given, **about})
    publish_article(article=made, actor=story.lead, clock=story.clock)
    return Article.objects.get(pk=made.pk)


def titles(story: Story, person, text: str, **more) -> list[str]:  # type: ignore[no-untyped-def]
    return [found.title for found in knowledge.suggest(person, text, **more)]


def solved(story: Story, **about):  # type: ignore[no-untyped-def]
    ticket = story.open(description="It says 691.", **about)
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    return resolve(
        ticket=ticket, actor=story.agent, code="fixed", text="New profile.", clock=story.clock
    )


# ---- Written and published -----------------------------------------------------------------------


def test_agents_draft_and_leads_publish(story: Story) -> None:
    draft = draft_article(actor=story.agent, title="VPN", body=VPN, clock=story.clock)
    assert draft.state == "draft"
    with pytest.raises(Forbidden):
        publish_article(article=draft, actor=story.agent, clock=story.clock)
    with pytest.raises(Forbidden):
        draft_article(actor=story.requester, title="VPN", body=VPN, clock=story.clock)
    revision = publish_article(article=draft, actor=story.lead, clock=story.clock)
    assert (revision.number, revision.published_by) == (1, story.lead)


def test_what_is_published_stands_until_it_is_published_anew(story: Story) -> None:
    held = article(story)
    words = {"title": "VPN", "body": "Other words", "audience": "public"}
    edit_article(article=held, actor=story.agent, clock=story.clock, **words)
    shown = knowledge.readable(story.requester).get()
    assert shown.current.body == VPN
    publish_article(article=held, actor=story.lead, note="Shorter", clock=story.clock)
    assert knowledge.readable(story.requester).get().current.body == "Other words"
    assert [row.number for row in held.revisions.all()] == [2, 1]
    with pytest.raises(Conflict):
        publish_article(article=held, actor=story.lead, clock=story.clock)


def test_the_database_itself_keeps_a_revision(story: Story) -> None:
    article(story)
    for change in (
        lambda: ArticleRevision.objects.update(body="Forged"),
        lambda: ArticleRevision.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match="stands"), transaction.atomic():
            change()


def test_an_article_never_goes_back_to_draft(story: Story) -> None:
    held = article(story)
    with pytest.raises(DatabaseError, match="no legal way"), transaction.atomic():
        Article.objects.filter(pk=held.pk).update(state="draft")
    with pytest.raises(AttributeError):
        held.state = "draft"


def test_a_retired_article_is_found_by_nobody_and_can_come_back(story: Story) -> None:
    held = article(story)
    retire_article(article=held, actor=story.lead, clock=story.clock)
    assert titles(story, story.agent, "vpn") == []
    with pytest.raises(Conflict):
        retire_article(article=held, actor=story.lead, clock=story.clock)
    publish_article(article=held, actor=story.lead, clock=story.clock)
    assert titles(story, story.requester, "vpn") == [held.title]


# ---- Found ---------------------------------------------------------------------------------------


def test_the_requester_finds_what_is_public_by_everyday_words(story: Story) -> None:
    article(story)
    article(story, title="Printing from your phone", body="Scan the code.", keywords="drucken")
    article(story, title="VPN concentrator failover", body="Page the carrier.", audience="internal")
    wanted = "Hello, I cannot connect to the VPN from my hotel"
    assert titles(story, story.requester, wanted) == ["Connect to the VPN from home"]
    assert set(titles(story, story.agent, wanted)) == {
        "Connect to the VPN from home",
        "VPN concentrator failover",
    }
    assert titles(story, story.requester, "the toner") == []
    assert titles(story, story.requester, "how can I print") == ["Printing from your phone"]
    assert titles(story, story.requester, "Ich will etwas drucken") == ["Printing from your phone"]
    assert titles(story, story.requester, "the and of") == []
    assert titles(story, story.requester, "zebra & | ! ':* (") == []


def test_a_draft_is_suggested_to_nobody(story: Story) -> None:
    draft_article(actor=story.agent, title="VPN", body=VPN, audience="public", clock=story.clock)
    assert titles(story, story.lead, "vpn") == []


def test_two_queries_at_most(story: Story, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    article(story, services=[story.mail])
    knowledge.reads_internal(story.agent)
    with django_assert_max_num_queries(2):
        assert titles(story, story.agent, "the vpn is down", service=story.mail)


def test_known_errors_come_up_with_their_workaround_for_people_of_the_service(story: Story) -> None:
    given = {"kind": "problem", "subject": "Mail loses attachments", "team": story.desk}
    problem = story.open(actor=story.agent, **given)
    known = {"cause": "A filter", "workaround": "Send them as links."}
    diagnose(ticket=problem, actor=story.agent, is_known_error=True, clock=story.clock, **known)
    (found,) = knowledge.suggest(story.colleague, "an attachment was lost")
    assert (found.kind, found.key, found.excerpt) == (
        "known_error",
        problem.key,
        "Send them as links.",
    )
    assert knowledge.suggest(story.stranger, "an attachment was lost") == []
    restrict(ticket=problem, actor=story.agent, reason="A leak", clock=story.clock)
    assert knowledge.suggest(story.colleague, "an attachment was lost") == []


# ---- Counted -------------------------------------------------------------------------------------


def figures(story: Story) -> tuple[int, int, int, int]:
    row = knowledge.with_figures(knowledge.readable(story.agent)).get()
    return row.yes, row.no, row.used, row.spared


def test_everybody_has_one_vote_and_may_change_it(story: Story) -> None:
    held = article(story)
    for helpful in (True, True, False):
        vote(article=held, person=story.requester, helpful=helpful, clock=story.clock)
    vote(article=held, person=story.stranger, helpful=True, clock=story.clock)
    assert ArticleVote.objects.count() == 2
    assert figures(story) == (1, 1, 0, 0)


def test_a_spared_ticket_is_counted_once_a_day(story: Story) -> None:
    held = article(story)
    for _ in range(3):
        spare(article=held, person=story.requester, clock=story.clock)
    story.forward(days=1)
    spare(article=held, person=story.requester, clock=story.clock)
    assert Deflection.objects.count() == 2
    assert figures(story) == (1, 0, 0, 2)


def test_what_may_not_be_read_can_be_neither_voted_on_nor_used(story: Story) -> None:
    held = article(story, audience="internal")
    with pytest.raises(Forbidden):
        vote(article=held, person=story.requester, helpful=True, clock=story.clock)


def test_an_article_that_solved_a_ticket_is_told_and_counted(story: Story) -> None:
    held, ticket = article(story), story.open()
    given = {"ticket": ticket, "article": held, "actor": story.agent, "clock": story.clock}
    use_article(**given)
    with pytest.raises(Conflict):
        use_article(**given)
    event = TimelineEvent.objects.get(ticket=ticket, kind="article_used")
    assert (event.facts["article"], event.is_public) == (held.pk, False)
    assert figures(story) == (0, 0, 1, 0)
    restrict(ticket=story.fresh(ticket), actor=story.agent, reason="A leak", clock=story.clock)
    assert figures(story) == (0, 0, 0, 0)


# ---- From a resolution ---------------------------------------------------------------------------


def test_a_resolution_becomes_a_draft_in_one_act(story: Story) -> None:
    ticket = solved(story, subject="VPN says 691")
    given = draft_from(ticket)
    assert given["title"] == "VPN says 691"
    assert "It says 691." in given["body"]
    assert "New profile." in given["body"]
    assert given["services"] == [story.mail.pk]


def test_nothing_is_written_of_a_restricted_or_an_open_ticket(story: Story) -> None:
    with pytest.raises(Invalid):
        draft_from(story.open())
    case = solved(story, kind="security", restricted=True, requester=story.analyst, service=None,
                  team=story.desk, actor=story.agent)  # fmt: skip
    with pytest.raises(Invalid):
        draft_from(case)
    with pytest.raises(Invalid):
        draft_article(actor=story.agent, title="X", body="Y", source=case, clock=story.clock)


# ---- Runbooks ------------------------------------------------------------------------------------


def runbook(story: Story, **about) -> Article:  # type: ignore[no-untyped-def]
    given = {
        "title": "Mail queue is stuck",
        "body": "Look before you restart.",
        "audience": "internal",
        "items": ["Count the queue", "Restart one node", "Tell the desk"],
    }
    return article(story, **{**given, **about})


def test_a_runbook_comes_up_by_service_or_by_policy_step(story: Story) -> None:
    ticket = story.open()
    runbook(story, services=[story.mail])
    runbook(story, title="Call the carrier", steps=["outage: Page the lead"])
    runbook(story, title="Another service's")
    found = [each.article.title for each in checklists(ticket, story.agent)]
    assert found == ["Mail queue is stuck"]
    found = [
        each.article.title for each in checklists(ticket, story.agent, ["outage: Page the lead"])
    ]
    assert found == ["Call the carrier", "Mail queue is stuck"]
    assert checklists(ticket, story.requester) == []


def test_steps_are_ticked_on_the_ticket_and_told(story: Story) -> None:
    held, ticket = runbook(story, services=[story.mail]), story.open()
    given = {"ticket": ticket, "revision": held.current, "actor": story.agent, "clock": story.clock}
    for done in (True, True, False, True):
        tick(item=1, done=done, **given)
    (here,) = checklists(ticket, story.agent)
    assert here.done == 1
    assert here.points[1].mark.by == story.agent
    told = TimelineEvent.objects.filter(ticket=ticket, kind="checked").order_by("seq")
    assert [event.facts["done"] for event in told] == [True, False, True]
    assert told[0].facts["text"] == "Restart one node"
    with pytest.raises(Invalid):
        tick(item=3, done=True, **given)
    with pytest.raises(Forbidden):
        tick(item=0, done=True, **{**given, "actor": story.requester})


def test_a_begun_checklist_keeps_its_wording(story: Story) -> None:
    held, ticket = runbook(story, services=[story.mail]), story.open()
    tick(
        ticket=ticket, revision=held.current, item=0, done=True, actor=story.agent,
        clock=story.clock,
    )  # fmt: skip
    words = {"title": held.title, "body": "Anew", "audience": "internal", "items": ["Only this"]}
    edit_article(article=held, actor=story.agent, clock=story.clock, **words)
    publish_article(article=held, actor=story.lead, clock=story.clock)
    (here,) = checklists(ticket, story.agent)
    assert here.points[0].text == "Count the queue"
