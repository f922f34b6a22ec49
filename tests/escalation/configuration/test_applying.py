"""A file is compared with the site, and applied whole or not at all."""

import json
import re
import threading

import pytest
from django.db import connections

from escalation.configuration.applying import apply_text, export_site, plan_text
from escalation.configuration.document import BadFile
from escalation.models import HandoverContract, Policy, PolicyRevision, Target, TargetRevision
from roles.models import AuditEntry, Calendar, Membership, Team, Tier
from roles.oncall import on_call
from roles.refusals import Conflict, Forbidden
from tests.story import MONDAY, Story, page, unacknowledged
from tickets.models import Route

FILE = """\
version: 1
calendars:
  late:
    name: Late shift
    zone: Europe/Berlin
    hours: [Mon-Fri 14:00-22:00]
tiers:
  l5: {name: Makers, kind: ladder, rank: 5}
teams:
  makers:
    name: Makers
    tier: l5
    calendar: late
    lead: dora
    members: {dora: lead, cleo: member}
routes:
- {service: mail, tier: l5, team: makers}
vendors:
  carrier: {name: Carrier, calendar: late}
targets:
  p1-word:
    name: "P1: first word"
    clock: first_response
    allowed: 15 min
    priority: 1
policies:
  urgent:
    name: Urgent
    conditions:
    - {fact: priority, is: [1, 2]}
    steps:
    - name: Page who is on call
      trigger: unacknowledged
      delay: 5 min
      actions:
      - {do: page, to: [on_call, "duty:incident-manager", "team:makers"]}
schedules:
  makers:
    zone: Europe/Berlin
    layers:
    - {name: Weekly, people: [dora, cleo], starts_on: 2026-01-05, handover: 09:00, shift_days: 7}
    - name: Nights
      zone: Europe/Berlin
      people: [ann]
      starts_on: 2026-01-05
      handover: 20:00
      shift_hours: 12
      hours: [Mon-Sun 20:00-08:00]
contracts:
- to: makers
  needs:
  - {slug: tried, name: What was tried}
  - {slug: logs, name: Logs, required: false}
"""


def mistakes(text: str, **given) -> list[str]:
    with pytest.raises(BadFile) as refused:
        plan_text(text=text, **given)
    return refused.value.lines("site.yaml")


def test_a_file_makes_everything_that_it_names_and_a_second_time_nothing(story):
    done = apply_text(text=FILE, clock=story.clock)
    assert done.is_applied
    team = Team.objects.get(slug="makers")
    assert (team.tier.slug, team.calendar.slug, team.lead) == ("l5", "late", story.expert)
    roles = Membership.objects.filter(team=team).values_list("person__username", "role")
    assert set(roles) == {("dora", "lead"), ("cleo", "member")}
    assert Route.objects.get(service=story.mail, tier__slug="l5").team == team
    asked = HandoverContract.objects.get(to_team=team, from_team=None).needs
    assert list(asked.values_list("slug", "required")) == [("tried", True), ("logs", False)]
    assert on_call([team.pk], MONDAY) == {team.pk: [story.expert.pk]}
    assert on_call([team.pk], MONDAY.replace(hour=22)) == {team.pk: [story.agent.pk]}
    target = Target.objects.get(slug="p1-word").current
    assert (target.clock, target.seconds, target.priority) == ("first_response", 900, 1)
    policy = Policy.objects.get(slug="urgent")
    assert [step.delay_s for step in policy.current.steps.all()] == [300]
    kept = AuditEntry.objects.count()
    again = apply_text(text=FILE, clock=story.clock)
    assert again.lines() == ["Nothing to change: the site is as the file says."]
    assert AuditEntry.objects.count() == kept
    assert PolicyRevision.objects.count() == TargetRevision.objects.count() == 1
    assert team.schedule.revisions.count() == 1


def test_a_plan_tells_each_difference_and_changes_nothing(story):
    apply_text(text=FILE, clock=story.clock)
    kept = export_site(), AuditEntry.objects.count()
    other = (
        FILE.replace("15 min", "600")
        .replace("delay: 5 min", "delay: 3 min")
        .replace("[1, 2]", "[1]")
        .replace("cleo: member", "ann: member")
        .replace("name: Makers, kind", "name: Builders, kind")
    )
    outcome = plan_text(text=other, clock=story.clock)
    assert outcome.plan.lines() == [
        "~ tiers.l5.name: Makers → Builders",
        "- teams.makers.members.cleo: member",
        "+ teams.makers.members.ann: member",
        "~ targets.p1-word.allowed: 15 min → 10 min",
        '- policies.urgent.conditions: {"fact": "priority", "is": [1, 2]}',
        '+ policies.urgent.conditions: {"fact": "priority", "is": [1]}',
        "~ policies.urgent.steps[Page who is on call].delay: 5 min → 3 min",
    ]
    assert not outcome.is_applied
    assert (export_site(), AuditEntry.objects.count()) == kept


def test_every_mistake_is_told_at_once_with_its_line_and_nothing_changes(story):
    wrong = (
        FILE.replace("zone: Europe/Berlin", "zone: Europe/Belin", 1)
        .replace("kind: ladder", "kind: latter")
        .replace("lead: dora", "lead: dorra")
        .replace("calendar: late\n    lead", "calender: late\n    lead")
        .replace("team: makers}", "team: maker}")
        .replace("allowed: 15 min", "allowed: 15 minutes")
        .replace("delay: 5 min", "delay: soon")
        .replace("tiers:", "taems: {}\ntiers:")
    )
    before = export_site()
    assert mistakes(wrong) == [
        'site.yaml:5: calendars.late.zone: "Europe/Belin" is not a time zone such as '
        "Europe/Berlin.",
        'site.yaml:7: taems: Unknown section "taems". Did you mean "teams"?',
        'site.yaml:9: tiers.l5.kind: "latter" is unknown. Did you mean "ladder"?',
        'site.yaml:11: teams.makers: "calendar" is missing.',
        'site.yaml:14: teams.makers.calender: Unknown key "calender". Did you mean "calendar"?',
        "site.yaml:15: teams.makers.lead: There is no person dorra; people are not made by a "
        'file. Did you mean "dora"?',
        'site.yaml:18: routes.1.team: There is no team maker. Did you mean "makers"?',
        'site.yaml:25: targets.p1-word.allowed: "15 minutes" is no length of time; write '
        '"15 min", "2 h", "1 d" or seconds.',
        'site.yaml:35: policies.urgent.steps.1.delay: "soon" is no length of time; write '
        '"15 min", "2 h", "1 d" or seconds.',
    ]
    assert export_site() == before


def test_a_policy_that_cannot_work_is_told_at_the_line_of_the_step(story):
    wrong = (
        FILE.replace("fact: priority", "fact: weather")
        .replace("do: page", "do: shout")
        .replace("      delay: 5 min\n", "")
    )
    told = mistakes(wrong)
    assert [line.partition(" ")[0] for line in told] == [
        "site.yaml:30:",
        "site.yaml:32:",
        "site.yaml:35:",
    ]
    assert "policies.urgent.conditions.1" in told[0]
    assert "policies.urgent.steps.1.delay" in told[1]
    assert "policies.urgent.steps.1.actions.1" in told[2]


def test_names_within_conditions_and_actions_must_exist(story):
    wrong = FILE.replace("fact: priority, is: [1, 2]", "fact: service, is: [mail, maill]").replace(
        "team:makers", "team:maker"
    )
    told = mistakes(wrong)
    assert [re.sub(r"\.\s.*", "", line) for line in told] == [
        "site.yaml:30: policies.urgent.conditions.1: There is no service maill",
        "site.yaml:36: policies.urgent.steps.1.actions.1: There is no team maker",
    ]


def test_what_a_domain_function_refuses_is_told_with_its_line_too(story):
    wrong = FILE.replace("rank: 5", "rank: 2").replace("tier: l5, team", "tier: l4, team")
    told = mistakes(wrong)
    assert told[0].startswith("site.yaml:8: tiers.l5.rank:")
    # What only waits for the tier is not reported as a mistake of its own.
    assert len(told) == 1


def test_keys_left_out_stay_but_a_wording_is_one_thing(story):
    apply_text(text=FILE, clock=story.clock)
    Team.objects.filter(slug="makers").update(email="makers@example.org")
    text = "version: 1\nteams:\n  makers: {name: Builders}\ntargets:\n  p1-word: {position: 99}\n"
    assert plan_text(text=text).plan.lines() == [
        "~ teams.makers.name: Makers → Builders",
        "~ targets.p1-word.position: 10 → 99",
    ]
    text = "version: 1\ntargets:\n  p1-word: {clock: resolution, allowed: 1 h}\n"
    assert plan_text(text=text).plan.lines() == [
        "~ targets.p1-word.clock: first_response → resolution",
        "~ targets.p1-word.allowed: 15 min → 1 h",
        "~ targets.p1-word.priority: 1 → null",
    ]


def test_what_is_absent_is_left_alone_and_pruned_only_on_request(story):
    apply_text(text=FILE, clock=story.clock)
    text = "version: 1\npolicies: {}\ntiers: {l5: {}}\n"
    assert plan_text(text=text).plan.changes == ()
    outcome = apply_text(text=text, prune=True, clock=story.clock)
    assert outcome.plan.lines() == ["- policies.urgent: switched off"]
    assert outcome.plan.notes == (
        "tiers: cannot be switched off and stay: l0, l1, l2, l3, l4, incident-management, "
        "security.",
    )
    assert not Policy.objects.get(slug="urgent").is_active
    assert Target.objects.get(slug="p1-word").is_active
    assert apply_text(text="version: 1\ncontracts: []\n", prune=True).plan.lines() == [
        "- contracts.*/makers: switched off"
    ]
    assert not HandoverContract.objects.get(to_team__slug="makers").is_active
    assert Team.objects.get(slug="makers").is_active


def test_a_file_may_say_for_which_years_holidays_are_stored(story):
    def calendar(**keys: object) -> str:
        given = {"name": "Shop", "zone": "Europe/Berlin", "hours": ["Mon-Fri 09:00-17:00"], **keys}
        return f"version: 1\ncalendars:\n  shop: {json.dumps(given)}\n"

    def stored() -> tuple[int | None, int | None]:
        current = Calendar.objects.get(slug="shop").current
        return current.first_year, current.last_year

    apply_text(text=calendar(country="DE", holiday_years="2024-2027"), clock=story.clock)
    assert stored() == (2024, 2027)
    assert "holiday_years: 2024-2027" in export_site(only=["calendars"])
    assert plan_text(text=export_site()).plan.changes == ()
    assert plan_text(text=calendar(country="DE")).plan.changes == ()
    longer = calendar(country="DE", holiday_years="2024-2030")
    assert plan_text(text=longer).plan.lines() == [
        "~ calendars.shop.holiday_years: 2024-2027 → 2024-2030"
    ]
    apply_text(text=longer, clock=story.clock)
    assert stored() == (2024, 2030)
    apply_text(text=calendar(country="FR"), clock=story.clock)
    assert stored() == (2025, 2031)
    apply_text(text=calendar(), clock=story.clock)
    assert stored() == (None, None)
    assert plan_text(text=calendar(holiday_years="2024-2030")).plan.changes == ()
    [told] = mistakes(calendar(country="DE", holiday_years="soon"))
    assert "a range of years such as" in told
    [told] = mistakes(calendar(country="DE", holiday_years="2024-2100"))
    assert "Store 1 to" in told


def test_the_service_desk_cannot_be_pruned_but_can_move(story):
    rest = "\n".join(f"  {team.slug}: {{}}" for team in Team.objects.exclude(slug="desk"))
    told = mistakes(f"version: 1\nteams:\n{rest}\n", prune=True)
    assert "new tickets" in told[0] or "nobody else does" in told[0]
    moved = "version: 1\nteams:\n  apps: {service_desk: true}\n  desk: {service_desk: false}\n"
    apply_text(text=moved, clock=story.clock)
    assert Team.objects.get(is_service_desk=True).slug == "apps"


def test_a_tier_can_be_put_between_two_others(story):
    text = (
        "version: 1\ntiers:\n  l25: {name: Between, kind: ladder, rank: 3}\n"
        "  l3: {rank: 4}\n  l4: {rank: 5}\n"
    )
    apply_text(text=text, clock=story.clock)
    assert list(Tier.objects.filter(kind="ladder").values_list("slug", flat=True)) == [
        "l0", "l1", "l2", "l25", "l3", "l4",
    ]  # fmt: skip


def test_a_running_climb_stays_on_its_revision_and_is_named(story):
    story.policy("urgent", unacknowledged(5, "Page who is on call", page("on_call")))
    ticket = story.open()
    outcome = apply_text(text=FILE, actor=None, clock=story.clock)
    assert outcome.lines()[-1] == (
        f"! policies.urgent: 1 open ticket stays on the earlier revision: {ticket.key}"
    )
    run = ticket.runs.get(state="active")
    assert run.revision.number == 1
    assert Policy.objects.get(slug="urgent").current.number == 2


def test_a_restricted_ticket_is_not_named_to_who_may_not_see_it(story):
    story.policy("urgent", unacknowledged(5, "Page who is on call", page("on_call")))
    story.open(restricted=True, actor=story.analyst)
    assert apply_text(text=FILE, clock=story.clock).touched == []


def test_only_who_manages_policies_reads_or_applies_a_file(story):
    with pytest.raises(Forbidden):
        export_site(actor=story.agent)
    with pytest.raises(Forbidden):
        plan_text(text=FILE, actor=story.agent)
    # An incident manager manages policies, but not teams and calendars.
    told = mistakes(FILE, actor=story.incident_manager)
    assert "site.yaml:3: calendars.late: You may not do this here: admin." in told
    policies = FILE[: FILE.index("calendars:")] + FILE[
        FILE.index("policies:") : FILE.index("schedules:")
    ].replace(', "team:makers"', "")
    assert apply_text(text=policies, actor=story.incident_manager, clock=story.clock).is_applied


def test_who_applied_what_and_why_stands_in_the_audit(story):
    apply_text(text=FILE, actor=story.admin, reason="New makers", clock=story.clock)
    entries = AuditEntry.objects.filter(actor_id=story.admin.pk)
    whole = entries.get(action="configuration.applied")
    assert whole.reason == "New makers"
    assert "+ teams.makers" in whole.changes["plan"]
    assert {"team.added", "target.published", "policy.published", "tier.added"} <= set(
        entries.values_list("action", flat=True)
    )


def test_a_plan_is_applied_only_as_long_as_it_is_true(story):
    token = plan_text(text=FILE).plan.token
    assert plan_text(text=FILE).plan.token == token
    Calendar.objects.create(slug="late", name="Somebody else's")
    with pytest.raises(Conflict, match="changed after this plan"):
        apply_text(text=FILE, token=token, clock=story.clock)
    assert not Team.objects.filter(slug="makers").exists()
    token = plan_text(text=FILE).plan.token
    assert apply_text(text=FILE, token=token, clock=story.clock).is_applied


def test_two_applies_at_once_follow_each_other(live_db):
    story = Story()
    found: list[object] = []

    def run() -> None:
        try:
            found.append(apply_text(text=FILE).plan.summary())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found)[1:] == ["Nothing to change: the site is as the file says."] * 3
    assert PolicyRevision.objects.count() == TargetRevision.objects.count() == 1
    assert story.desk.is_active


def test_a_changed_layer_is_a_new_revision_and_the_past_stays(story):
    apply_text(text=FILE, clock=story.clock)
    team = Team.objects.get(slug="makers")
    story.forward(days=1)
    other = FILE.replace("people: [dora, cleo]", "people: [bob]")
    outcome = apply_text(text=other, clock=story.clock)
    assert outcome.plan.lines() == [
        "- schedules.makers.layers[Weekly].people: dora",
        "- schedules.makers.layers[Weekly].people: cleo",
        "+ schedules.makers.layers[Weekly].people: bob",
    ]
    assert on_call([team.pk], MONDAY) == {team.pk: [story.expert.pk]}
    assert on_call([team.pk], story.now) == {team.pk: [story.colleague.pk]}


def test_a_layer_needs_people_and_one_length_of_its_shifts(story):
    wrong = FILE.replace("people: [dora, cleo]", "people: []").replace("shift_hours: 12\n", "\n")
    told = mistakes(wrong.replace("  makers:\n    zone", "  maker:\n    zone"))
    assert [line.partition(": ")[2] for line in told] == [
        'schedules.maker: There is no team maker. Did you mean "makers"?',
        "schedules.maker.layers.1.people: Name the people in the order of their turns.",
        "schedules.maker.layers.2: Give the length of a shift in shift_days or in shift_hours.",
    ]
