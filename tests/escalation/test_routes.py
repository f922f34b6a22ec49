"""The panel "whom do I escalate to": one reading, few queries, and no word of restricted cases."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from escalation.contracts import set_contract
from escalation.handover import accept, escalate
from escalation.routes import panel
from roles.models import Person
from roles.people import roles_of
from tests.story import Story
from tickets.assignment import take
from tickets.lifecycle import resolve
from tickets.models import Ticket


def asked_by(person: Person) -> Person:
    """The person as a request has it: every door has asked for the roles before."""
    found = Person.objects.get(pk=person.pk)
    roles_of(found)
    return found


def shown(story: Story, ticket: Ticket, reader: Person | None = None):
    found = Ticket.objects.select_related("service").get(pk=ticket.pk)
    return panel(found, asked_by(reader or story.agent), story.now)


def choice(shown, slug: str):
    every = (shown.recommended, *shown.alternatives)
    return next(each for each in every if each is not None and each.team.slug == slug)


def solve(story: Story, ticket: Ticket, by: Person) -> None:
    take(ticket=ticket, actor=by, clock=story.clock)
    resolve(ticket=ticket, actor=by, code="fixed", text="Done", clock=story.clock)


def test_the_next_team_is_named_with_the_reason_and_who_is_on_shift(story):
    ticket = story.open()
    found = shown(story, ticket)
    assert found.recommended.team == story.apps
    assert found.recommended.reason == "route for Mail"
    assert found.recommended.on_shift == ("Cleo",)
    assert found.advice == "Escalate to Apps on L2: route for Mail."
    others = [each.team.slug for each in found.alternatives]
    assert others == ["platform", "incidents", "soc"]


def test_at_the_top_it_says_who_is_called_and_that_the_work_stays(story):
    found = shown(story, story.open(team=story.platform))
    assert found.recommended is None
    assert "incident manager" in found.advice
    assert "stays here" in found.advice


def test_it_costs_at_most_eight_queries_however_many_teams_there_are(story):
    for number in range(12):
        team = story.team(f"extra-{number}", "l3", [story.expert])
        set_contract(to_team=team, needs=[{"slug": "a", "name": "A"}], clock=story.clock)
    ticket = story.open()
    for _ in range(5):
        story.open()
    found = Ticket.objects.select_related("service").get(pk=ticket.pk)
    reader = asked_by(story.agent)
    with CaptureQueriesContext(connection) as queries:
        panel(found, reader, story.now)
    assert len(queries) <= 8, "\n".join(query["sql"][:120] for query in queries)


def test_load_and_the_median_time_to_accept_are_those_of_the_receiver(story):
    for minutes in (2, 4, 12):
        ticket = story.open()
        escalate(
            ticket=ticket, actor=story.agent, reason_code="skill", reason="x", clock=story.clock
        )
        story.forward(minutes=minutes)
        accept(ticket=ticket, actor=story.engineer, clock=story.clock)
    story.forward(seconds=1)
    apps = shown(story, story.open()).recommended
    assert (apps.load, apps.median_accept_s) == (3, 240)
    assert choice(shown(story, story.open()), "platform").median_accept_s is None
    story.forward(days=91)
    assert shown(story, story.open()).recommended.median_accept_s is None


def test_it_tells_what_they_will_ask_for_and_what_is_still_missing(story):
    needs = [
        {"slug": "tried", "name": "What was tried"},
        {"slug": "logs", "name": "Logs"},
        {"slug": "workaround", "name": "Workaround", "required": False},
    ]
    set_contract(to_team=story.apps, needs=needs[:1], clock=story.clock)
    set_contract(to_team=story.platform, needs=needs, clock=story.clock)
    ticket = story.open()
    escalate(
        ticket=ticket,
        actor=story.agent,
        reason_code="skill",
        reason="x",
        tried="Restarted",
        clock=story.clock,
    )
    platform = shown(story, ticket, story.engineer).recommended
    assert [(item.need.slug, item.answered) for item in platform.asks] == [
        ("tried", True),
        ("logs", False),
        ("workaround", False),
    ]
    assert [need.name for need in platform.missing] == ["Logs"]


def test_it_tells_who_solved_similar_tickets_in_the_last_ninety_days(story):
    for by, team in ((story.engineer, story.apps), (story.engineer, story.apps)):
        solve(story, story.open(team=team), by)
    solve(story, story.open(team=story.platform), story.expert)
    solve(story, story.open(team=story.platform, service=None), story.expert)
    found = shown(story, story.open())
    assert [(each.team.slug, each.solved_similar) for each in found.similar] == [
        ("apps", 2),
        ("platform", 1),
    ]
    story.now += timedelta(days=91)
    assert shown(story, story.open()).similar == ()


def test_a_restricted_case_moves_no_figure_of_an_uncleared_reader(story):
    ticket = story.open()
    before = shown(story, ticket)
    case = story.open(kind="security", restricted=True, team=story.apps)
    solved = story.open(kind="security", restricted=True, team=story.apps, actor=story.analyst)
    solved.clearances.create(person=story.engineer)
    solve(story, solved, story.engineer)
    assert shown(story, ticket) == before
    case.clearances.create(person=story.agent)
    solved.clearances.create(person=story.agent)
    cleared = shown(story, ticket).recommended
    assert (cleared.load, cleared.solved_similar) == (
        before.recommended.load + 1,
        before.recommended.solved_similar + 1,
    )


def test_teams_say_what_they_answer_for_and_the_tier_speaks_for_a_silent_one(story):
    story.apps.tier.responsibilities = "Diagnoses applications"
    story.apps.tier.save()
    found = shown(story, story.open())
    assert found.recommended.guidance["responsibilities"] == "Diagnoses applications"
    story.apps.responsibilities = "Ordering and e-mail"
    story.apps.save()
    found = shown(story, story.open())
    assert found.recommended.guidance["responsibilities"] == "Ordering and e-mail"
