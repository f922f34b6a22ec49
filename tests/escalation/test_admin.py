"""Targets, policies and the engine's history in the admin: who may what, and what it leaves."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from escalation.models import Clock, Firing, Policy, PolicyRevision, Quarantine, Target
from roles.instants import database_now
from roles.models import AuditEntry, Duty, DutyAssignment, Membership, Person
from roles.people import forget_roles
from tests.story import Story, notify, page, unacknowledged
from tickets.models import Clearance

LISTS = (
    "target", "targetrevision", "policy", "policyrevision", "run", "firing", "clock",
    "escalation", "quarantine", "heartbeat", "silence", "handovercontract",
)  # fmt: skip


def address(model: str, act: str = "changelist", *args: object) -> str:
    return reverse(f"admin:escalation_{model}_{act}", args=args)


def holder(person: Person, duty: str) -> Person:
    """The person with that duty, and let into the admin."""
    row, _ = Duty.objects.get_or_create(slug=duty, defaults={"name": duty})
    DutyAssignment.objects.create(duty=row, person=person)
    person.is_staff = True
    person.save()
    forget_roles(person)
    return person


@pytest.fixture
def story(db) -> Story:
    return Story(start=database_now())


@pytest.fixture
def door(story):
    """Signs somebody in."""

    def sign_in(person: Person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def admin(story, door) -> Client:
    """An administrator by duty who also works in a team, and so reads tickets."""
    person = holder(story.person("ada"), "administrator")
    Membership.objects.create(team=story.desk, person=person)
    return door(person)


@pytest.fixture
def auditor(story, door) -> Client:
    return door(holder(story.person("zack"), "auditor"))


def said(response) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


# ---- Who may come in ---------------------------------------------------------------------------


def test_every_list_opens_for_administrators_and_auditors(story, admin, auditor):
    story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    story.target("resolution", 60)
    story.open()
    story.forward(minutes=5)
    for model in LISTS:
        for client in (admin, auditor):
            assert client.get(address(model)).status_code == 200, model


def test_people_who_are_not_staff_do_not_come_in(story, door):
    client = door(story.lead)
    answer = client.get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403
    assert Client().get(reverse("admin:index"), follow=True).request["PATH_INFO"] == "/sign-in"


def test_auditors_and_plain_staff_change_nothing(story, auditor, door):
    target = story.target("resolution", 60)
    policy = story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    story.colleague.is_staff = True
    story.colleague.save()
    for client in (auditor, door(story.colleague)):
        for model, row in (("target", target), ("policy", policy)):
            assert client.get(address(model, "add")).status_code == 403
            answer = client.post(address(model, "change", row.pk), {"name": "Other"})
            assert answer.status_code == 403
            delete = client.post(address(model, "delete", row.pk), {"post": "yes"})
            assert delete.status_code == 403
    assert auditor.get(address("policy", "change", policy.pk)).status_code == 200
    assert auditor.get(address("target", "change", target.pk)).status_code == 200


# ---- Targets -----------------------------------------------------------------------------------


def target_form(story: Story, **changes: object) -> dict[str, object]:
    form = {
        "name": "P1 solved",
        "slug": "p1-solved",
        "position": 5,
        "is_active": "on",
        "clock": "resolution",
        "amount": "1.5",
        "unit": "3600",
        "calendar": story.office.pk,
        "pauses": ["pending_requester"],
        "priority": "1",
        "kind": "",
        "service": "",
        "organisation": "",
        "team": "",
    }
    return form | changes


def test_saving_a_target_publishes_a_revision_and_running_clocks_keep_theirs(story, admin):
    assert admin.post(address("target", "add"), target_form(story)).status_code == 302
    target = Target.objects.get(slug="p1-solved")
    assert (target.current.seconds, target.current.priority) == (5400, 1)
    ticket = story.open(impact=1, urgency=1)
    change = address("target", "change", target.pk)
    assert admin.post(change, target_form(story, amount="90", unit="1")).status_code == 302
    target.refresh_from_db()
    assert (target.current.number, target.current.seconds) == (2, 90)
    assert Clock.objects.get(ticket=ticket).target_s == 5400
    acts = AuditEntry.objects.filter(subject_type="escalation.target").order_by("id")
    assert [entry.action for entry in acts] == [
        "target.published",
        "target.added",
        "target.published",
    ]


def test_saving_a_target_unchanged_publishes_nothing(story, admin):
    admin.post(address("target", "add"), target_form(story))
    target = Target.objects.get(slug="p1-solved")
    shown = admin.get(address("target", "change", target.pk)).context["adminform"].form.initial
    assert (shown["amount"], shown["unit"]) == (90, 60)
    admin.post(address("target", "change", target.pk), target_form(story, name="Other name"))
    target.refresh_from_db()
    assert (target.name, target.current.number) == ("Other name", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": "0.5", "unit": "1"},
        {"amount": "9999999"},
        {"clock": "lunch"},
        {"pauses": ["resolved"]},
        {"priority": "7"},
        {"calendar": 999_999},
    ],
)
def test_a_wrong_target_is_refused_and_changes_nothing(story, admin, wrong):
    answer = admin.post(address("target", "add"), target_form(story, **wrong))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not Target.objects.exists()


# ---- Policies ----------------------------------------------------------------------------------


def draft_form(
    revision: PolicyRevision, *steps: dict[str, object], **changes: object
) -> dict[str, object]:
    """The form of a draft with these steps; the first ones take the place of the present."""
    present = list(revision.steps.order_by("position"))
    form: dict[str, object] = {
        "conditions": '[{"fact": "priority", "is": [1, 2]}]',
        "repeat_limit": 1,
        "repeat_after_s": 300,
        "steps-TOTAL_FORMS": len(steps),
        "steps-INITIAL_FORMS": len(present),
        "steps-MIN_NUM_FORMS": 0,
        "steps-MAX_NUM_FORMS": 1000,
    }
    for number, step in enumerate(steps):
        known = {"id": present[number].pk} if number < len(present) else {}
        given = {"basis": "auto", "revision": revision.pk, **known, **step}
        form |= {f"steps-{number}-{name}": value for name, value in given.items()}
    return form | changes


REMIND = {
    "position": 2,
    "name": "Remind",
    "trigger": "unacknowledged",
    "delay_s": 600,
    "actions": '[{"do": "notify", "to": ["on_call"]}]',
}
FIRST = {
    "position": 1,
    "name": "Page at once",
    "trigger": "unacknowledged",
    "delay_s": 0,
    "actions": '[{"do": "page", "to": ["on_call"]}]',
}


def new_policy(admin: Client) -> Policy:
    form = {"name": "Night", "slug": "night", "position": 3, "mode": "main", "is_active": "on"}
    answer = admin.post(address("policy", "add"), form)
    policy = Policy.objects.get(slug="night")
    draft = PolicyRevision.objects.get(policy=policy)
    assert answer.url == address("policyrevision", "change", draft.pk)
    return policy


def test_a_policy_is_drafted_with_its_steps_and_published(story, admin):
    policy = new_policy(admin)
    draft = policy.revisions.get()
    page_address = address("policyrevision", "change", draft.pk)
    assert admin.get(page_address).status_code == 200
    answer = admin.post(page_address, draft_form(draft, REMIND, FIRST))
    assert answer.url == address("policy", "change", policy.pk)
    draft = policy.revisions.get()
    assert [step.name for step in draft.steps.all()] == ["Page at once", "Remind"]
    assert draft.conditions == [{"fact": "priority", "is": [1, 2]}]
    form = {"name": "Night", "slug": "night", "position": 3, "mode": "main", "is_active": "on"}
    answer = admin.post(address("policy", "change", policy.pk), {**form, "_publish": "1"})
    assert "in force" in said(answer)
    policy.refresh_from_db()
    assert policy.current == draft
    shown = admin.get(address("policy", "change", policy.pk)).content.decode()
    assert "not acknowledged for 10 min: tell on call" in shown
    assert "priority is 1 or 2" in shown
    acts = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"policy.added", "policy.drafted", "policy.published"} <= acts


def test_a_published_revision_is_read_only(story, admin):
    policy = story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    published = address("policyrevision", "change", policy.current.pk)
    assert "Page" in admin.get(published).content.decode()
    answer = admin.post(published, draft_form(policy.current, REMIND))
    assert answer.status_code == 403
    assert policy.current.steps.get().name == "Page"


def test_a_new_draft_starts_from_what_is_in_force(story, admin):
    policy = story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    form = {"name": "S", "slug": "standard", "position": 1, "mode": "main", "is_active": "on"}
    answer = admin.post(address("policy", "change", policy.pk), {**form, "_draft": "1"})
    draft = PolicyRevision.objects.get(policy=policy, published_at=None)
    assert answer.url == address("policyrevision", "change", draft.pk)
    assert draft.steps.get().actions == policy.current.steps.get().actions
    again = admin.post(address("policy", "change", policy.pk), {**form, "_draft": "1"})
    assert again.url == answer.url


@pytest.mark.parametrize(
    ("step", "place"),
    [
        ({"delay_s": ""}, "delay_s"),
        ({"trigger": "clock_percent", "clock": "", "percent": ""}, "clock"),
        ({"actions": "[]"}, "actions"),
        ({"actions": '["page"]'}, "actions"),
        ({"actions": "{nonsense"}, "actions"),
        ({"actions": '[{"do": "page", "to": ["the boss"]}]'}, "actions"),
        ({"actions": '[{"do": "dance"}]'}, "actions"),
    ],
)
def test_a_wrong_step_is_named_at_its_place_and_changes_nothing(story, admin, step, place):
    draft = new_policy(admin).revisions.get()
    form = draft_form(draft, FIRST, {**REMIND, **step})
    answer = admin.post(address("policyrevision", "change", draft.pk), form)
    assert answer.status_code == 200
    errors = answer.context["inline_admin_formsets"][0].formset.forms[1].errors
    assert place in errors
    assert draft.steps.get().name == "Remind who is on call"


@pytest.mark.parametrize(
    "conditions",
    ['{"fact": "priority"}', '[{"fact": "weather", "is": 1}]', '[{"fact": "kind"}]', "[1]",
     '[{"fact": "priority", "is": {"a": 1}}]', "nonsense", "{}", "0", "false", '""', "[[]]"],
)  # fmt: skip
def test_wrong_conditions_are_refused(story, admin, conditions):
    draft = new_policy(admin).revisions.get()
    form = draft_form(draft, FIRST, conditions=conditions)
    answer = admin.post(address("policyrevision", "change", draft.pk), form)
    assert answer.status_code == 200
    assert "conditions" in answer.context["adminform"].form.errors


def test_the_mistake_in_the_conditions_is_named_by_its_place(story, admin):
    draft = new_policy(admin).revisions.get()
    wrong = '[{"fact": "kind", "is": "incident"}, {"fact": "weather", "is": 1}]'
    form = draft_form(draft, FIRST, conditions=wrong)
    answer = admin.post(address("policyrevision", "change", draft.pk), form)
    (error,) = answer.context["adminform"].form.errors["conditions"]
    assert error.startswith("conditions.2")


def test_the_page_tells_what_publishing_changes_and_whom_it_touches_before_the_button(story, admin):
    policy = story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    ticket = story.open()
    form = {"name": "S", "slug": "standard", "position": 1, "mode": "main", "is_active": "on"}
    change = address("policy", "change", policy.pk)
    answer = admin.post(change, {**form, "_draft": "1"})
    draft = PolicyRevision.objects.get(policy=policy, published_at=None)
    renamed = {**FIRST, "name": "Page", "delay_s": 600}
    admin.post(answer.url, draft_form(draft, renamed, conditions="[]"))
    shown = admin.get(change).content.decode()
    assert "Step “Page”: delay was 1 min, becomes 10 min." in shown
    assert ticket.key in shown
    answer = admin.post(change, {**form, "_publish": "1"})
    assert "Step “Page”: delay was 1 min, becomes 10 min." in said(answer)
    assert ticket.runs.get().revision.number == 1
    refused = admin.post(change, {**form, "_move": "1", "move_reason": " "})
    assert "required" in said(refused)
    moved = admin.post(change, {**form, "_move": "1", "move_reason": "Calmer"})
    assert "1 climbs go on" in said(moved)
    assert ticket.runs.get(state="active").revision.number == 2


def test_a_draft_without_steps_is_refused(story, admin):
    draft = new_policy(admin).revisions.get()
    form = draft_form(draft, {**FIRST, "DELETE": "on"})
    answer = admin.post(address("policyrevision", "change", draft.pk), form)
    assert "at least one step" in answer.content.decode()


def test_publishing_without_a_draft_says_so(story, admin):
    policy = story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    form = {"name": "S", "slug": "standard", "position": 1, "mode": "main", "_publish": "1"}
    answer = admin.post(address("policy", "change", policy.pk), form)
    assert "no draft" in said(answer)
    policy.refresh_from_db()
    assert policy.name == "Standard"


# ---- What the engine has done ------------------------------------------------------------------


def test_the_history_is_read_and_never_written(story, admin):
    story.policy("standard", unacknowledged(1, "Page", page("on_call")))
    ticket = story.open()
    story.forward(minutes=2)
    firing = Firing.objects.get(ticket=ticket)
    shown = address("firing", "change", firing.pk)
    assert "Told: Ann (on call in Desk)." in admin.get(shown).content.decode()
    assert admin.post(shown, {"outcome": "skipped"}).status_code == 403
    for model in ("run", "firing", "clock", "escalation", "heartbeat", "targetrevision"):
        assert admin.get(address(model, "add")).status_code == 403


def test_rows_of_a_restricted_ticket_are_shown_to_cleared_people_only(story, admin, auditor, door):
    story.policy("standard", unacknowledged(1, "Page", notify("team:soc")))
    story.target("resolution", 60)
    ticket = story.open(kind="security", restricted=True, actor=story.analyst)
    story.forward(minutes=2)
    holder(story.analyst, "ciso")
    cleared = door(story.analyst)
    assert Clearance.objects.filter(ticket=ticket, person=story.analyst).exists()
    for model in ("run", "firing", "clock"):
        assert cleared.get(address(model)).context["cl"].result_count == 1
        for client in (admin, auditor):
            assert client.get(address(model)).context["cl"].result_count == 0
            assert ticket.key not in client.get(address(model)).content.decode()
    firing = Firing.objects.get(ticket=ticket)
    assert admin.get(address("firing", "change", firing.pk)).status_code == 302


def test_administrators_release_quarantined_tickets_without_reading_them(story, door):
    ticket = story.open()
    secret = story.open(kind="security", restricted=True, actor=story.analyst)
    now = database_now()
    for each in (ticket, secret):
        Quarantine.objects.create(ticket=each, tries=3, last_tried_at=now, since=now)
    client = door(holder(story.person("ada"), "administrator"))
    listed = client.get(address("quarantine"))
    assert [row.ticket for row in listed.context["cl"].result_list] == [ticket]
    assert ticket.subject not in listed.content.decode()
    form = {"action": "release_chosen", "_selected_action": [ticket.pk, secret.pk]}
    client.post(address("quarantine"), form)
    assert [row.ticket for row in Quarantine.objects.all()] == [secret]
    assert AuditEntry.objects.get(action="quarantine.released").changes == {"ticket": ticket.key}
