"""What PagerDuty, Opsgenie and OnCall knew is known here: the same people are on call, all year."""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from api.importers import grafana_oncall, opsgenie, pagerduty
from api.importers.bringing import Brought, bring
from api.importers.bundle import Site
from escalation.models import Policy
from roles.instants import fixed
from roles.models import Override, Person, Schedule, Team, Tier
from roles.oncall import final_shifts, on_call
from tests.api import accounts
from tickets.models import Service

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, tzinfo=UTC)
PRODUCTS: Mapping[str, tuple[ModuleType, Callable[[], Any]]] = {
    "pagerduty": (pagerduty, accounts.pagerduty),
    "opsgenie": (opsgenie, accounts.opsgenie),
    "oncall": (grafana_oncall, accounts.oncall),
}

# Berlin's clocks: one hour on at 02:00 on 29 March, one hour back at 03:00 on 25 October 2026.
# Days 06:00 to 22:00 by the week from Monday 2 March, ada first; nights between, cid first.
SPRING = [
    ("bea", "03-28 05:00", "03-28 21:00"),
    ("cid", "03-28 21:00", "03-29 04:00"),  # a night of seven hours, the 27th of them
    ("bea", "03-29 04:00", "03-29 20:00"),
    ("dan", "03-29 20:00", "03-30 04:00"),
]
AUTUMN = [
    ("bea", "10-24 04:00", "10-24 20:00"),
    ("cid", "10-24 20:00", "10-25 05:00"),  # a night of nine hours, the 237th
    ("bea", "10-25 05:00", "10-25 21:00"),
    ("dan", "10-25 21:00", "10-26 05:00"),
]
# The week changes hands at nine on Mondays; with OnCall when the day's shift begins.
MONDAYS = {
    "pagerduty": ("nine", [("bea", 4, 7), ("ada", 7, 20)], [("bea", 5, 8), ("ada", 8, 21)]),
    "opsgenie": ("nine", [("bea", 4, 7), ("ada", 7, 20)], [("bea", 5, 8), ("ada", 8, 21)]),
    "oncall": ("six", [("ada", 4, 20)], [("ada", 5, 21)]),
}


def bring_in(product: str, account: Any = None, *, plan: bool = False) -> Brought:
    module, build = PRODUCTS[product]
    account = build() if account is None else account
    translate = partial(module.translate, account)
    return bring(
        module.newcomers(account), translate, product=product, plan=plan, clock=fixed(START)
    )


@pytest.fixture(autouse=True)
def ladder(db) -> None:
    for rank in (1, 2):
        Tier.objects.create(slug=f"l{rank}", name=f"L{rank}", kind="ladder", rank=rank)


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def expected(product: str, season: int) -> list[tuple[str, datetime, datetime]]:
    table, monday = ((SPRING, "03-30"), (AUTUMN, "10-26"))[season]
    found = [(who, at(start), at(end)) for who, start, end in table]
    for who, start, end in MONDAYS[product][season + 1]:
        found.append((who, at(f"{monday} {start:02}:00"), at(f"{monday} {end:02}:00")))
    return found


def serving(team: Team, start: datetime, end: datetime) -> list[tuple[str, datetime, datetime]]:
    names = dict(Person.objects.values_list("pk", "username"))
    return [(names[s.person_id], s.start, s.end) for s in final_shifts(team, start, end)]


@pytest.mark.parametrize("season", [0, 1], ids=["spring", "autumn"])
@pytest.mark.parametrize("product", PRODUCTS)
def test_the_same_people_are_on_call_over_both_clock_changes(product, season):
    bring_in(product)
    team, wanted = Team.objects.get(slug="network"), expected(product, season)
    assert serving(team, wanted[0][1], wanted[-1][2]) == wanted
    names = dict(Person.objects.values_list("pk", "username"))
    for who, start, end in wanted:
        for moment in (start, end - timedelta(seconds=1)):
            assert [names[pk] for pk in on_call([team.pk], moment)[team.pk]] == [who]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_plan_says_the_same_and_leaves_nothing_behind(product):
    planned = bring_in(product, plan=True)
    assert not Person.objects.exists()
    assert not Team.objects.exists()
    done = bring_in(product)
    assert (planned.lines, planned.left_out) == (done.lines, done.left_out)
    assert planned.changes == done.changes > 5
    again = bring_in(product)
    assert (again.lines, again.changes) == ([], 0), "a second run finds nothing to do"
    assert again.left_out == done.left_out


@pytest.mark.parametrize("product", PRODUCTS)
def test_people_come_without_a_password_and_are_told_nothing(product):
    bring_in(product)
    people = {person.username: person for person in Person.objects.all()}
    assert set(people) == {"ada", "bea", "cid", "dan"}
    assert not any(person.has_usable_password() for person in people.values())
    assert {person.zone for person in people.values()} == {"Europe/Berlin"}
    team = Team.objects.get(slug="network")
    assert team.tier.slug == "l2"
    assert set(team.memberships.values_list("person__username", flat=True)) == set(people)


def steps(name: str) -> list[tuple[str, int, list[str]]]:
    rows = Policy.objects.get(name=name).current.steps.order_by("position")
    return [(row.trigger, row.delay_s, row.actions[0]["to"]) for row in rows]


def reasons(done: Brought) -> str:
    return "\n".join(map(str, done.left_out))


def test_pagerduty_escalates_rule_after_rule_and_begins_again():
    done = bring_in("pagerduty")
    assert steps("Network") == [
        ("unacknowledged", 0, ["on_call:network"]),
        ("unacknowledged", 600, ["person:bea"]),
    ]
    now = Policy.objects.get(name="Network").current
    assert (now.repeat_limit, now.repeat_after_s) == (2, 1800)
    assert now.conditions == [{"fact": "service", "is": ["routers"]}]
    assert Service.objects.get(slug="routers").owner_team.slug == "network"
    assert Team.objects.get(slug="network").lead.username == "ada"
    assert "Nobody's: no service uses it" in reasons(done)
    assert "rulesets Default Global: event rules" in reasons(done)


def test_opsgenie_delays_count_from_the_beginning_and_rules_keep_their_order():
    done = bring_in("opsgenie")
    assert steps("Network, Critical") == [
        ("unacknowledged", 0, ["on_call:network"]),
        ("since_start", 3600, ["team:network"]),
    ]
    critical = Policy.objects.get(name="Network, Critical")
    everything = Policy.objects.get(name="Network, Everything")
    assert critical.position < everything.position
    assert critical.current.conditions[1] == {"fact": "priority", "is": 1}
    assert (critical.current.repeat_limit, critical.current.repeat_after_s) == (3, 1200)
    told = reasons(done)
    assert "Odd: a policy cannot ask whether message contains 'disk'" in told
    assert "next on call of Network_schedule: only who is on call is paged" in told
    assert "nothing is closed because nobody has looked at it" in told
    assert "user gone@example.net: blocked" in told
    assert "integrations Prometheus: give each sender a source of its own" in told


def test_oncall_waits_between_its_steps():
    done = bring_in("oncall")
    assert steps("Alertmanager") == [
        ("unacknowledged", 0, ["on_call:network"]),
        ("unacknowledged", 600, ["person:bea"]),
    ]
    assert Policy.objects.get(name="Alertmanager").current.repeat_limit == 5
    assert "resolve: nothing is solved" in reasons(done)
    assert "route of Alertmanager for disk" in reasons(done)


# ---- What does not fit as it is ----------------------------------------------------------------


def test_rotations_that_serve_together_come_to_teams_of_their_own():
    account = accounts.opsgenie()
    rotations = account["schedules"][0]["schedule"]["rotations"]
    rotations[0].pop("timeRestriction")
    done = bring_in("opsgenie", account)
    beside = Team.objects.get(name="Network_schedule, beside 1")
    night = at("03-28 23:00")
    names = dict(Person.objects.values_list("pk", "username"))
    both = on_call([Team.objects.get(slug="network").pk, beside.pk], night)
    assert [names[pk] for found in both.values() for pk in found] == ["bea", "cid"]
    assert steps("Network, Everything")[0][2] == ["on_call:network", f"on_call:{beside.slug}"]
    assert "turns that serve at the same time" in reasons(done)


def test_a_turn_without_a_person_is_not_made_up():
    account = accounts.opsgenie()
    account["schedules"][0]["schedule"]["rotations"][0]["participants"].append({"type": "none"})
    done = bring_in("opsgenie", account)
    assert "rotation Network_schedule, Days: a turn in it belongs to no single person" in reasons(
        done
    )
    assert [layer.name for layer in Schedule.objects.get().revisions.get().rotations.all()] == [
        "Nights"
    ]


def test_the_shifts_that_pagerduty_has_rendered_decide_which_layer_wins():
    account = accounts.pagerduty()
    schedule = account["schedules"][0]
    for layer in schedule["schedule_layers"]:
        layer["restrictions"] = []
    schedule["schedule_layers"][1]["users"] = [{"user": {"id": "U3"}}]
    entry = {"start": "2026-03-28T00:00:00Z", "end": "2026-03-29T00:00:00Z"}
    schedule["final_schedule"] = {"rendered_schedule_entries": [{"user": {"id": "U2"}, **entry}]}
    done = bring_in("pagerduty", account)
    layers = Schedule.objects.get().revisions.get().rotations.order_by("position")
    assert [layer.name for layer in layers] == ["Nights", "Days"]
    assert "are others" not in reasons(done)
    entry["end"] = "2026-03-28T12:00:00Z"
    late = {"start": entry["end"], "end": "2026-03-29T00:00:00Z"}
    schedule["final_schedule"]["rendered_schedule_entries"].append({"user": {"id": "U4"}, **late})
    assert "PagerDuty's own shifts from 2026-03-28 to 2026-03-29 are others" in reasons(
        bring_in("pagerduty", account)
    )


def test_overrides_to_come_are_taken_over_once():
    account = accounts.pagerduty()
    stint = {"start": "2026-03-10T08:00:00Z", "end": "2026-03-11T08:00:00Z", "user": {"id": "U4"}}
    past = {**stint, "start": "2026-02-01T08:00:00Z", "end": "2026-02-02T08:00:00Z"}
    account["schedules"][0]["overrides_subschedule"] = {"rendered_schedule_entries": [stint, past]}
    assert any(
        "overrides: dan@example.net" in line for line in bring_in("pagerduty", account).lines
    )
    bring_in("pagerduty", account)
    override = Override.objects.get()
    assert (override.person.username, override.during.lower) == ("dan", at("03-10 08:00"))


def test_layers_that_have_ended_are_gone_and_those_to_come_begin_in_time():
    account = accounts.pagerduty()
    days, nights = account["schedules"][0]["schedule_layers"]
    days["end"] = "2026-02-28T00:00:00Z"
    nights["start"] = "2026-03-21T22:00:00+01:00"
    done = bring_in("pagerduty", account)
    team = Team.objects.get(slug="network")
    assert on_call([team.pk], at("03-20 23:00"))[team.pk] == []
    # The nineteenth night after the second of March: dan's, as ever.
    assert serving(team, at("03-21 21:00"), at("03-22 05:00"))[0][0] == "dan"
    assert "Days" not in reasons(done)


def test_a_team_that_is_here_keeps_its_people_and_its_place():
    bring_in("pagerduty")
    team = Team.objects.get(slug="network")
    Team.objects.filter(pk=team.pk).update(tier=Tier.objects.get(slug="l1"))
    zoe = Person.objects.create_user("zoe", name="Zoe")
    team.memberships.create(person=zoe, role="lead")
    assert bring_in("pagerduty").changes == 0
    team.refresh_from_db()
    assert team.tier.slug == "l1"
    assert team.memberships.get(person=zoe).role == "lead"


# ---- The commands ------------------------------------------------------------------------------


def test_the_commands_read_files_folders_and_archives(tmp_path):
    out = StringIO()
    path = tmp_path / "account.json"
    path.write_text(json.dumps(accounts.pagerduty()))
    call_command("import_pagerduty", str(path), plan=True, stdout=out)
    assert "things would change" in out.getvalue()
    path.write_text(json.dumps(accounts.oncall()))
    call_command("import_oncall", str(path), plan=True, stdout=out)
    folder = tmp_path / "backup"
    for name, found in accounts.opsgenie().items():
        (folder / name).mkdir(parents=True)
        for number, each in enumerate(found):
            (folder / name / f"{number}.json").write_text(json.dumps(each))
    call_command("import_opsgenie", str(folder), stdout=StringIO())
    archive = tmp_path / "backup.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for file in folder.rglob("*.json"):
            packed.write(file, file.relative_to(folder))
    again = StringIO()
    call_command("import_opsgenie", str(archive), stdout=again)
    assert "0 things changed" in again.getvalue()


@pytest.mark.parametrize("content", ["", "[]", "{", '"text"', "\x00"])
def test_what_is_no_account_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "account.json"
    path.write_text(content)
    for command in ("import_pagerduty", "import_oncall", "import_opsgenie"):
        with pytest.raises(CommandError, match="account"):
            call_command(command, str(path), stdout=StringIO())


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_damaged_account_is_read_as_far_as_it_goes(product):
    module, build = PRODUCTS[product]
    whole = build()

    def shapes(value: Any) -> Any:
        yield from ({}, dict.fromkeys(value), dict.fromkeys(value, "text"))
        yield {name: [None, 7, "text", {}, [[]], {"id": 7, "shifts": 7}] for name in value}

    for account in shapes(whole):
        translate = partial(module.translate, account)
        bring(module.newcomers(account), translate, product=product, clock=fixed(START))
        assert not Person.objects.exists()
        assert not Schedule.objects.exists()
        assert not Policy.objects.exists()


ODD = (None, -1, 10**30, float("inf"), "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "99:99")


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each plain value."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*at, key))
    else:
        yield at


def with_odd(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    """The same with another value at the end of that way."""
    if not at:
        return odd
    changed = copy(value)
    changed[at[0]] = with_odd(value[at[0]], at[1:], odd)
    return changed


@pytest.mark.parametrize("product", PRODUCTS)
def test_no_value_beyond_all_range_ends_the_reading(product):
    module, build = PRODUCTS[product]
    whole = build()
    for at in places(whole):
        for odd in ODD:
            account = with_odd(whole, at, odd)
            known = {each.email.lower(): each.name for each in module.newcomers(account)}
            module.translate(account, Site(usernames=known), START)
