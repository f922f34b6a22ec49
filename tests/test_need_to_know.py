"""For whoever is not cleared, the world is the same with and without a restricted ticket."""

import re
from collections.abc import Iterator
from difflib import unified_diff
from functools import partial
from itertools import islice

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse

from api.rest.looks import LOOKS
from api.rest.register import SUBJECTS
from insights.figures.boards import BOARDS
from insights.figures.folding import fold_all
from notifications.models import Message
from roles.models import Duty, DutyAssignment, Person
from roles.people import forget_roles
from tests.story import Story, page, unacknowledged
from tickets import bulk
from tickets.assignment import watch
from tickets.drafts import save_draft
from tickets.feed import relay_all
from tickets.incidents import declare_major, demote_major, post_update
from tickets.lifecycle import comment
from tickets.links import link
from tickets.mailsources import create_mail_source
from tickets.merging import merge
from tickets.models import MailSource, ReceivedMail, Ticket, TimelineEvent
from tickets.problems import diagnose, publish_workaround
from tickets.restriction import restrict
from tickets.savedviews import keep_view
from web.urls import urlpatterns as web_patterns

pytestmark = pytest.mark.django_db
PARTS = 3
"""How many tests share the readers: a single one would take minutes."""
WORD = "zebrafish"
NOWHERE = "INC-999998"
ROOMS = ("majors", "cases", "problems", "changes")
SAME_FOR_ALL = ("api/v1/docs/", "api/v1/schema/")
PLACES = tuple(
    f"api/v1/{subject.slug}/"
    for subject in SUBJECTS
    if subject.view.Meta.model._meta.app_label == "roles"
    and subject.slug not in ("people", "teams")
)
"""Lists of what knows no ticket."""
Answers = dict[tuple[str, str], tuple[int, str]]

PASSING = (
    (re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"'), "csrf"),
    (re.compile(r'nonce="[^"]*"|nonce-[A-Za-z0-9+/=_-]+'), "nonce"),
    (re.compile(r'data-csrf="[^"]*"'), "csrf"),
    (re.compile(r'(?<=">)[^<]*(?=</time>)'), "now"),
    (re.compile(r'name="form_token" value="[^"]*"'), "form"),
    (re.compile(r'data-now="\d+"|"(?:elapsed_s|late_s|seconds)":[\d.]+|\d\d:\d\d:\d\d UTC'), "now"),
)
"""What differs between any two answers to the same question."""
HEAD = re.compile(r'"(version|updated_at|seq|hash)": ?("[^"]*"|\d+)')


def plain(text: str) -> str:
    for pattern, word in PASSING:
        text = pattern.sub(word, text)
    return text


def readers(story: Story) -> dict[str, Person]:
    """People of every kind who will not be cleared; those who may open the admin do so too."""
    auditor = story.person("otto", is_staff=True)
    duty = Duty.objects.create(slug="auditor", name="Auditor")
    DutyAssignment.objects.create(duty=duty, person=auditor)
    Person.objects.filter(pk=story.incident_manager.pk).update(is_staff=True)
    people = (
        *(story.requester, story.colleague, story.lead),
        *(story.incident_manager, story.admin, auditor),
    )
    for person in people:
        forget_roles(person)
    return {person.username: Person.objects.get(pk=person.pk) for person in people}


def rest_lists() -> Iterator[str]:
    for resolver in get_resolver().url_patterns:
        if getattr(resolver, "app_name", None) == "api":
            for pattern in resolver.url_patterns:
                route = str(pattern.pattern)
                is_list = route.endswith("/") and "<" not in route
                if route.startswith("api/v1/") and is_list and route not in SAME_FOR_ALL + PLACES:
                    yield f"/{route}"


def admin_lists() -> Iterator[str]:
    yield reverse("admin:index")
    told_there = ("tickets", "escalation", "notifications")
    for model in admin.site._registry:
        if model._meta.app_label in told_there:
            yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def plain_pages() -> Iterator[str]:
    """Every page of people's door whose address names nothing; each answers a plain question."""
    for pattern in web_patterns:
        route = str(pattern.pattern)
        if "<" not in route and route not in ("sign-in", "sign-out"):
            yield f"/{route}"


def addresses(*keys: str) -> list[str]:
    """Everything that can be asked for, about all and about these tickets."""
    found = [*plain_pages(), *rest_lists(), *admin_lists()]
    found += ["/guide/team/desk", "/guide/team/soc", "/guide/tier/l1", "/guide/tier/security"]
    found += ["/guide/duty/incident-manager", "/on-call/team/soc"]
    found += [f"/policies/any{part}" for part in ("", "/history", "/draft", "/simulate")]
    found += ["/on-call/team/desk", "/on-call/team/desk/stand-in", "/on-call/team/desk/swap"]
    spring = "since=2026-02-01&until=2026-04-30"
    found += [f"/figures/{board.slug}?{spring}" for board in BOARDS]
    found += [f"/figures/of/{slug}?{spring}" for slug in ("backlog", "pages", "missed", "mttd")]
    found += [f"/figures/escalations.csv?{spring}", f"/figures/of/backlog.csv?{spring}"]
    found += [
        f"/api/v1/figure-tickets/?figure={slug}&{spring}" for slug in ("backlog", "pages", "missed")
    ]
    found += [f"/figures/load?{spring}&team=soc", f"/figures/mine?{spring}"]
    found += ["/figures/now.csv", f"/figures/mine/pages?{spring}"]
    views = ("mine", "team", "breach", "escalated", "unassigned", "all", "done", "major", "watched")
    for view in views:
        found.append(f"/?view={view}")
    found += ["/portal", "/portal/ask", "/requests", "/setup/people", "/setup/ticket"]
    for view in ("open", "done", "followed", "organisation"):
        found.append(f"/requests?view={view}")
    for word in (WORD, "INC", "INC-000002", "desk"):
        found += [f"/palette?q={word}", f"/queue/take?key={word}"]
        found += [f"/requests?view=open&q={word}", f"/portal/suggestions?subject={word}"]
        found += [f"/?view=all&q={word}", f"/api/v1/tickets/?q={word}", f"/api/v1/people/?q={word}"]
        found.append(f"/knowledge?q={word}")
        found.append(f"/admin/tickets/ticket/?q={word}")
        found.append(f"/admin/tickets/receivedmail/?q={word}")
        found.append(f"/admin/tickets/timelineevent/?q={word}")
    for order in ("opened_at", "-opened_at", "next_due_at", "priority", "-updated_at"):
        found.append(f"/api/v1/tickets/?ordering={order}")
    found.append("/api/v1/tickets/?page_size=1")
    for key in keys:
        found += [f"/{room}/{key}" for room in ("tickets", *ROOMS)]
        found += [f"/palette?ticket={key}", f"/palette?recent={key}", f"/palette?q={key}"]
        found.append(f"/queue/resolve?key={key}")
        found += [f"/tickets/{key}/knowledge", f"/requests/{key}"]
        own = ("unpaged", "similar", "print", "canned", "here", "files/1", "escalate", "unlink")
        own += ("mail/1", "review", "review.md", "review.pdf")
        found += [f"/tickets/{key}/{part}" for part in own]
        found += [f"/tickets/{key}?show={view}" for view in ("talk", "climb", "clocks", "mail")]
        parts = ("", "comments/", "events/", "clocks/", "escalations/", "firings/", "attachments/")
        found += [f"/api/v1/tickets/{key}/{part}" for part in parts]
        found += [f"/api/v1/tickets/{key}/{look.slug}/" for look in LOOKS]
    return found


def ask(people: dict[str, Person], urls: list[str]) -> Answers:
    answers: Answers = {}
    relay_all()
    fold_all()
    cache.clear()
    for name, person in people.items():
        client = Client()
        client.force_login(person)
        for url in urls:
            if url.startswith("/admin/") and not person.is_staff:
                continue  # the door itself is closed to them
            response = client.get(url)
            body = b"" if response.streaming else response.content
            answers[name, url] = (response.status_code, plain(body.decode()))
    return answers


def headless(answers: Answers) -> Answers:
    """The answers without the ticket's own numbering, which an event that is not shown moves on."""
    return {place: (code, HEAD.sub("", text)) for place, (code, text) in answers.items()}


def assert_same(before: Answers, after: Answers) -> None:
    differing = [place for place in before if before[place] != after[place]]
    told = {_difference(before[place], after[place]): place for place in differing}
    assert differing == [], "\n".join(f"{place}: {text}" for text, place in told.items())
    assert [place for place in after if WORD in after[place][1] and WORD not in place[1]] == []


def _difference(one: tuple[int, str], other: tuple[int, str]) -> str:
    lines = unified_diff(one[1].splitlines(), other[1].splitlines(), lineterm="", n=0)
    return "\n".join([f"{one[0]} {other[0]}", *list(lines)[:20]])


def stop_the_clock() -> None:
    """From here on the database answers one and the same time: "late by 2 h" must not become 3.

    A function of that name in a schema that is looked through before PostgreSQL's own; both end
    with the test's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_literal(clock_timestamp())")
        (moment,) = cursor.fetchone()
        cursor.execute("CREATE SCHEMA standing")
        cursor.execute(
            "CREATE FUNCTION standing.clock_timestamp() RETURNS timestamptz"
            f" LANGUAGE sql IMMUTABLE AS $$SELECT {moment}::timestamptz$$"
        )
        cursor.execute("SET LOCAL search_path = standing, public, pg_catalog")


@pytest.fixture
def story(db: None) -> Story:
    story = Story()
    stop_the_clock()
    story.target("resolution", 240)
    story.policy("any", unacknowledged(5, "Page", page("on_call", "lead")))
    create_mail_source(slug="support", address="support@desk.example", clock=story.clock)
    return story


def born_restricted(story: Story, other: Ticket) -> Ticket:
    return story.open(
        subject=WORD, kind="security", restricted=True, requester=story.analyst, service=None
    )


def restricted_later(story: Story, other: Ticket) -> Ticket:
    """An ordinary ticket of the desk, talked of, watched and paged for, and then restricted."""
    ticket = story.open(subject=WORD)
    watch(ticket=ticket, actor=story.colleague, clock=story.clock)
    comment(ticket=ticket, actor=story.agent, text=WORD, public=True, clock=story.clock)
    ReceivedMail.objects.create(
        source=MailSource.objects.get(),
        identity=WORD,
        subject=WORD,
        raw=b"",
        size=0,
        text=WORD,
        received_at=story.now,
        settled_at=story.now,
        outcome=ReceivedMail.Outcome.COMMENTED,
        person=story.requester,
        ticket=ticket,
    )
    story.forward(minutes=6)
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    story.forward(minutes=6)
    return story.fresh(ticket)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_answer_tells_of_a_restricted_ticket(story: Story, part: int) -> None:
    other = story.open(subject="Printer")
    story.forward(minutes=20)
    people = dict(islice(readers(story).items(), part, None, PARTS))
    urls = addresses(other.key)
    urls_of_nothing = [url for url in addresses(NOWHERE) if NOWHERE in url]
    before, nothing = ask(people, urls), ask(people, urls_of_nothing)
    now = story.now
    cases = []
    for make in (born_restricted, restricted_later):
        story.now = now
        cases.append(make(story, other))
    assert_same(before, ask(people, urls))
    for case in cases:
        of_the_case = ask(people, [url.replace(NOWHERE, case.key) for url in urls_of_nothing])
        for (name, url), (status, text) in of_the_case.items():
            asked = url.replace(case.key, NOWHERE)
            answer = status, text.replace(case.key, NOWHERE)
            assert answer == nothing[name, asked], (case.subject, case.source, name, url)


def test_a_ticket_that_was_linked_with_it_does_not_tell(story: Story) -> None:
    other = story.open(subject="Printer")
    story.forward(minutes=20)
    people = readers(story)
    urls = [url for url in addresses(other.key) if other.key in url or "?q=" in url]
    before = headless(ask(people, urls))
    ticket = story.open(subject=WORD)
    link(ticket=other, other=ticket, relation="related", actor=story.agent, clock=story.clock)
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    assert_same(before, headless(ask(people, urls)))
    assert TimelineEvent.objects.filter(ticket=other, kind="linked").exists()


def test_the_defence_is_what_makes_it_so(story: Story) -> None:
    """The same question about an ordinary ticket is answered differently: the test can fail."""
    people = {"bob": story.colleague}
    urls = addresses()
    before = ask(people, urls)
    story.open(subject=WORD)
    with pytest.raises(AssertionError):
        assert_same(before, ask(people, urls))


def test_messages_of_it_are_closed_to_those_who_keep_the_outbox(story: Story) -> None:
    case = restricted_later(story, story.open())
    told = Message.objects.filter(topic=case.topic)
    assert told.exists()
    assert all(row.clearance == case.topic for row in told)


def test_what_one_began_kept_and_did_on_it_is_told_without_it(story: Story) -> None:
    """A draft, a view that would find it, and a bulk act, all from before it was restricted."""
    ticket, other, bob = story.open(subject=WORD), story.open(), story.colleague
    save_draft(ticket=ticket, actor=bob, text=WORD, public=False)
    view = keep_view(actor=bob, name="Mine", filters={"view": "all", "q": WORD})
    do = partial(watch, ticket=ticket, actor=bob, clock=story.clock)
    done = [bulk.do_one(ticket=ticket, actor=bob, perform=do)]
    refused = {ticket.key: WORD, other.key: f"It waits for {ticket.key}."}
    act = bulk.keep(act="watch", actor=bob, done=done, refused=refused)
    urls = ["/api/v1/drafts/", f"/?saved={view.pk}", "/api/v1/saved-views/"]
    urls += [f"/api/v1/bulk-acts/{act.pk}/", f"/api/v1/drafts/{ticket.key}/"]
    before = ask({"bob": bob}, urls)
    assert all(ticket.key in before["bob", url][1] for url in (urls[0], urls[1], urls[3]))
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    after = ask({"bob": bob}, urls)
    assert ticket.key not in after["bob", urls[0]][1] + after["bob", urls[1]][1]
    assert after["bob", urls[4]][0] == 404
    told = after["bob", urls[3]][1]
    assert '"done":[]' in told
    assert WORD not in told
    assert told.count(ticket.key) == 1, "as one names a key that is none"


def test_the_status_page_tells_nothing_of_what_was_restricted(story: Story) -> None:
    """A case that was a major before, and an update of another major that names it."""
    other, people, manager = story.open(), readers(story), story.incident_manager
    del people["root"]  # an administrator alone is of no organisation, and nothing concerns them
    urls = ["/status", "/api/v1/status/"]
    assert urls[1] in addresses()
    declare_major(ticket=other, actor=manager, reason="All is down")
    before = ask(people, [*urls, "/majors", "/api/v1/majors/"])
    ticket = story.open(subject=WORD, service=None)
    declare_major(ticket=ticket, actor=manager, reason=WORD)
    post_update(ticket=ticket, actor=manager, text=WORD)
    told = ask(people, urls)
    assert [place for place, (_, text) in told.items() if WORD not in text] == []
    demote_major(ticket=ticket, actor=manager, reason=WORD)
    restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    assert_same(before, ask(people, [*urls, "/majors", "/api/v1/majors/"]))
    post_update(ticket=other, actor=manager, text=f"It is as in {ticket.key}.")
    said = ask(people, urls)
    assert [place for place, (_, text) in said.items() if "another ticket" not in text] == []
    assert [place for place, (_, text) in said.items() if ticket.key in text] == []


def test_what_was_said_of_it_by_the_way_is_read_without_its_key(story: Story) -> None:
    """A workaround, a wait, a solution and a problem's own words named it while it was open."""
    problem = story.open(
        kind="problem", subject="Why?", team=story.desk, actor=story.agent, requester=story.agent
    )
    child, twin, survivor = (story.open(subject="Printer") for _ in range(3))
    link(
        ticket=child, other=problem, relation="caused_by", actor=story.agent, clock=story.clock
    )  # fmt: skip
    diagnose(ticket=problem, actor=story.agent, workaround="Restart it", clock=story.clock)
    publish_workaround(
        ticket=problem, actor=story.agent, to_requesters=True, clock=story.clock
    )  # fmt: skip
    merge(ticket=twin, into=survivor, actor=story.agent, reason="Same", clock=story.clock)
    for ticket in (problem, survivor):
        restrict(ticket=ticket, actor=story.agent, reason="A break-in", clock=story.clock)
    people = readers(story)
    urls = [url for url in addresses(child.key, twin.key) if child.key in url or twin.key in url]
    urls += [reverse("admin:tickets_ticket_change", args=[row.pk]) for row in (child, twin)]
    shown = ask(people, urls)
    told = [
        place for place, (_, text) in shown.items() if {problem.key, survivor.key} & named(text)
    ]
    assert told == []
    assert "another ticket" in shown["bob", f"/tickets/{child.key}"][1]
    assert "another ticket" in shown["bob", f"/tickets/{twin.key}"][1]
    cleared = ask({"ann": story.agent}, [f"/tickets/{child.key}", f"/tickets/{twin.key}"])
    assert problem.key in cleared["ann", f"/tickets/{child.key}"][1]
    assert survivor.key in cleared["ann", f"/tickets/{twin.key}"][1]


def named(text: str) -> set[str]:
    return set(re.findall(r"[A-Z]{3}-\d{6}", text))
