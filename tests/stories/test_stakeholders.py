"""Stakeholders hear in time: words kept ready, reminders, lists of contacts, a quiet close."""

import pytest

from notifications.models import Message
from roles.models import AuditEntry, Duty, DutyAssignment, Person
from roles.people import forget_roles
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story
from tickets.assignment import watch
from tickets.contactlists import end_list, keep_list, lists_for, put_on_list, take_off_list
from tickets.incidents import declare_major, demote_major, post_update, resolve_major
from tickets.lifecycle import reopen, resolve
from tickets.models import Major, Phase, Ticket, TimelineEvent, UpdateText
from tickets.outages import outages
from tickets.staffing import staff_major
from tickets.subscriptions import subscribe
from tickets.updatewords import words_for


def major(story: Story, **fields) -> Ticket:
    ticket = story.open(**fields)
    declare_major(
        ticket=ticket, actor=story.incident_manager, reason="All is down", clock=story.clock
    )
    story.phone.new()
    return story.fresh(ticket)


def update(story: Story, ticket: Ticket, **more) -> None:
    given = {"text": "Still working on it", **more}
    post_update(ticket=ticket, actor=story.incident_manager, clock=story.clock, **given)


# ---- Reminders ---------------------------------------------------------------------------------


def test_the_first_word_is_due_in_a_quarter_of_an_hour_and_whoever_leads_is_reminded(
    story: Story,
) -> None:
    ticket = major(story)
    story.forward(minutes=9)
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("ivan", "major_due"))
    story.forward(minutes=5)
    story.phone.rang(("ivan", "major_late"))
    said = Message.objects.filter(kind="major_due").get()
    assert said.urgency == "high"
    assert said.data["url"] == f"/majors/{ticket.key}"
    story.forward(hours=2)
    story.phone.was_silent()


def test_a_word_in_time_takes_the_reminders_back_and_plans_the_next_ones(story: Story) -> None:
    ticket = major(story)
    story.forward(minutes=8)
    update(story, ticket, next_in_min=30)
    story.phone.rang(("rita", "major_updated"))
    story.forward(minutes=24)
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("ivan", "major_due"))


def test_a_short_promise_is_reminded_of_halfway(story: Story) -> None:
    ticket = major(story)
    update(story, ticket, next_in_min=4)
    story.phone.new()
    story.forward(minutes=2)
    story.phone.rang(("ivan", "major_due"))


def test_the_coordinator_is_reminded_and_the_manager_only_when_it_is_late(story: Story) -> None:
    duty = Duty.objects.create(slug="communication-coordinator", name="Communication")
    DutyAssignment.objects.create(duty=duty, person=story.colleague)
    forget_roles(story.colleague)
    ticket = major(story)
    story.forward(minutes=10)
    story.phone.rang(("bob", "major_due"))
    people = {"coordinator": story.colleague}
    staff_major(ticket=ticket, actor=story.incident_manager, people=people, clock=story.clock)
    story.phone.rang(("bob", "major_role"))
    story.forward(minutes=3)
    assert story.phone.new() == [("bob", "major_due")], "planned anew for who is named now"
    story.forward(minutes=3)
    story.phone.rang(("bob", "major_late"), ("ivan", "major_late"))


@pytest.mark.parametrize("how", ["resolved", "demoted"])
def test_nobody_is_reminded_of_what_is_over(story: Story, how: str) -> None:
    ticket = major(story)
    if how == "resolved":
        resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    else:
        demote_major(ticket=ticket, actor=story.incident_manager, reason="No", clock=story.clock)
    story.phone.new()
    story.forward(hours=1)
    story.phone.was_silent()


def test_a_reopened_major_owes_a_first_word_anew(story: Story) -> None:
    ticket = major(story)
    resolve(ticket=ticket, actor=None, code="fixed", text="Done", clock=story.clock)
    reopen(ticket=ticket, actor=story.requester, reason="Not at all", clock=story.clock)
    story.phone.new()
    story.forward(minutes=10)
    story.phone.rang(("ivan", "major_due"))


# ---- Words kept ready --------------------------------------------------------------------------


def test_each_phase_has_words_in_each_language_and_the_sites_own_go_first(story: Story) -> None:
    ticket = story.open()
    about = {"since": "09:00 UTC", "next_in_min": 20}
    for phase in Phase.values:
        english = words_for(phase, ticket, language="en", **about)
        german = words_for(phase, ticket, language="de", **about)
        assert english != german
        for words in (english, german):
            assert "Mail" in words
            assert "20" in words
            assert "{" not in words
    UpdateText.objects.create(phase="working", text="We are on {service} ({key}) {other}.")
    UpdateText.objects.create(phase="working", service=ticket.service, text="Mail again: {next}.")
    assert words_for("working", ticket, language="en", **about) == "Mail again: 20."
    other = story.open(service=None)
    said = words_for("working", other, language="en", **about)
    assert said == f"We are on {other.key} ({other.key}) {{other}}."
    assert words_for("dancing", ticket, language="en", **about) == ""


def test_an_update_says_how_far_it_is_and_an_unknown_phase_is_refused(story: Story) -> None:
    ticket = major(story)
    update(story, ticket, phase="watching")
    event = TimelineEvent.objects.filter(ticket=ticket, kind="major_updated").get()
    assert event.facts["phase"] == "watching"
    with pytest.raises(Invalid):
        update(story, ticket, phase="dancing")


# ---- Quiet close -------------------------------------------------------------------------------


def test_a_quiet_close_tells_those_who_asked_and_nobody_else(story: Story) -> None:
    ticket = major(story)
    subscribe(actor=story.stranger, service=story.mail, clock=story.clock)
    watch(ticket=ticket, actor=story.engineer, clock=story.clock)
    resolve_major(
        ticket=ticket,
        actor=story.incident_manager,
        code="fixed",
        text="Done",
        quietly=True,
        clock=story.clock,
    )
    story.phone.rang(("rita", "resolved"))
    assert Major.objects.get(ticket=ticket).state == "resolved"
    event = TimelineEvent.objects.filter(ticket=ticket, kind="resolved").get()
    assert event.facts["quietly"] is True


# ---- Lists -------------------------------------------------------------------------------------


def outage_list(story: Story, *people, **more):
    given = {"name": "Owners", "scenario": "outage", "actor": None, "clock": story.clock}
    listed = keep_list(**{**given, **more})
    for person in people:
        put_on_list(actor=None, listed=listed, person=person, part="owner", clock=story.clock)
    return listed


def test_people_on_a_list_for_outages_hear_each_word_once_by_the_services_name(
    story: Story,
) -> None:
    outage_list(story, story.stranger, story.requester)
    outage_list(story, story.stranger, name="Others", services=[story.mail])
    subscribe(actor=story.stranger, service=story.mail, clock=story.clock)
    ticket = story.open(subject="Mailboxes of the board are empty")
    story.phone.new()
    declare_major(ticket=ticket, actor=story.incident_manager, reason="Down", clock=story.clock)
    story.phone.rang(("rita", "major_declared"), ("zoe", "major_declared"))
    said = Message.objects.get(recipient=story.stranger, kind="major_declared")
    assert said.subject == "Mail: This is a major incident now"
    assert said.data == {"url": "/status"}
    update(story, ticket, audience="inside")
    story.phone.was_silent()


def story_people(names) -> list[Person]:
    return list(Person.objects.filter(username__in=names))


def test_a_list_counts_for_its_services_its_severity_and_its_team(
    story: Story,
) -> None:
    names = ("other", "grave", "foreign", "strange", "told")
    other, grave, foreign, strange, told = (story.person(name) for name in names)
    outage_list(story, other, name="a", services=[])
    shop = story.mail.__class__.objects.create(slug="shop", name="Shop")
    outage_list(story, grave, name="b", severity=1)
    outage_list(story, foreign, name="c", services=[shop])
    outage_list(story, strange, name="d", team=story.soc)
    outage_list(story, told, name="e", team=story.platform)
    ticket = story.open()
    assert ticket.organisation == story.company
    story.phone.new()
    declare_major(ticket=ticket, actor=story.incident_manager, reason="Down", clock=story.clock)
    rang = {name for name, _ in story.phone.new()}
    assert rang & set(names) == {"other", "told"}
    seen = {person.username for person in story_people(names) if outages(person, story.now)}
    assert seen == {"other", "told"}, "the status page shows it to whom it is told"


def test_the_status_page_says_an_update_without_the_key_of_a_case(story: Story) -> None:
    case = story.open(kind="security", restricted=True, requester=story.analyst, service=None)
    ticket = major(story)
    update(story, ticket, text=f"The cause is {case.key}.")
    for person, named in ((story.colleague, "another ticket"), (story.analyst, case.key)):
        (outage,) = outages(person, story.now)
        assert [word.text for word in outage.words] == [f"The cause is {named}."]


def test_lists_are_kept_by_those_who_answer_for_them_and_every_change_is_on_record(
    story: Story,
) -> None:
    listed = keep_list(
        actor=story.lead, name="Ours", scenario="vendor", team=story.apps, clock=story.clock
    )
    put_on_list(actor=story.lead, listed=listed, person=story.expert, clock=story.clock)
    take_off_list(actor=story.lead, listed=listed, person=story.expert, clock=story.clock)
    actions = AuditEntry.objects.filter(action__startswith="contact_list")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "contact_list.kept",
        "contact_list.added",
        "contact_list.removed",
    ]
    with pytest.raises(Forbidden):
        keep_list(actor=story.lead, name="All", scenario="vendor", clock=story.clock)
    with pytest.raises(Forbidden):
        end_list(actor=story.agent, listed=listed, clock=story.clock)
    keep_list(actor=story.incident_manager, name="All", scenario="outage", clock=story.clock)
    with pytest.raises(Conflict):
        keep_list(actor=story.incident_manager, name="All", scenario="outage", clock=story.clock)
    assert [each.name for each in lists_for("vendor", team_id=story.apps.pk)] == ["Ours"]
    assert not lists_for("vendor", team_id=story.desk.pk).exists()
    end_list(actor=story.admin, listed=listed, clock=story.clock)
    assert not lists_for("vendor", team_id=story.apps.pk).exists()
