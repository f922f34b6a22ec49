"""Every policy that the example site runs beside the main one really fires."""

from typing import Any

import pytest

from config.example.beside import BESIDE
from config.example.policies import POLICIES
from escalation.handover import escalate, hand_back
from escalation.models import Run, Vendor
from escalation.vendors import engage
from roles.models import Duty, DutyAssignment, Person
from tests.story import Story
from tickets.assignment import acknowledge, take
from tickets.incidents import declare_major
from tickets.lifecycle import chase, reopen, resolve
from tickets.models import Alert, AlertSource, Clearance, Ticket
from tickets.restriction import restrict


@pytest.fixture
def site(story: Story) -> Story:
    """The story's service with the example's policies and the duties that they name."""
    for slug, person in (
        ("executive", story.manager),
        ("communication-coordinator", story.colleague),
        ("ciso", story.lead),
        ("legal", story.stranger),
    ):
        duty = Duty.objects.create(slug=slug, name=slug)
        DutyAssignment.objects.create(duty=duty, person=person)
    story.team("security-operations", "security", [story.analyst])
    return story


def install(story: Story, slug: str) -> None:
    about = (POLICIES | BESIDE)[slug]
    story.policy(
        slug,
        *about.steps,
        conditions=list(about.conditions),
        mode=about.mode,
        repeat_limit=about.repeat_limit,
        repeat_after_s=about.repeat_after_s,
        stop_on=about.stop_on,
    )


def repeated(story: Story) -> Ticket:
    for _ in range(2):
        story.open()
        story.forward(hours=20)
    return story.open()


def bounced(story: Story) -> Ticket:
    ticket = story.open()
    escalate(
        ticket=ticket, actor=story.agent, reason_code="skill", reason="Stuck", clock=story.clock
    )
    hand_back(
        ticket=ticket,
        actor=story.engineer,
        reason_code="solvable",
        reason="Cache",
        clock=story.clock,
    )
    return ticket


def left_by_the_vendor(story: Story) -> Ticket:
    story.target("vendor_response", 30, pauses=())
    story.target("vendor_fix", 60, pauses=())
    vendor = Vendor.objects.create(slug="carrier", name="Carrier")
    ticket = story.open()
    take(ticket=ticket, actor=story.agent, clock=story.clock)
    engage(ticket=ticket, vendor=vendor, actor=story.agent, reason="Line down", clock=story.clock)
    story.forward(minutes=60)
    return ticket


def from_somebody_important(story: Story) -> Ticket:
    Person.objects.filter(pk=story.requester.pk).update(is_vip=True)
    story.requester.refresh_from_db()
    return story.open()


def flapping(story: Story) -> Ticket:
    source = AlertSource.objects.create(
        slug="prom",
        name="Prom",
        product=AlertSource.Product.ALERTMANAGER,
        key_prefix="x",
        key_digest="y",
        requester=story.person("monitor", kind="service"),
    )
    ticket = story.open(source="monitor")
    for number in range(6):
        Alert.objects.create(
            source=source,
            dedup_key="disk",
            ticket=ticket,
            summary="Disk full",
            state="resolved",
            started_at=story.now,
            ended_at=story.now,
            first_seen_at=story.now,
            last_seen_at=story.now,
            count=number + 1,
        )
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    return ticket


def reopened(story: Story) -> Ticket:
    ticket = story.open()
    for _ in range(2):
        take(ticket=ticket, actor=story.agent, clock=story.clock)
        resolve(ticket=ticket, actor=story.agent, code="fixed", text="Done", clock=story.clock)
        reopen(ticket=ticket, actor=story.requester, reason="No", clock=story.clock)
    return ticket


def chased(story: Story) -> Ticket:
    ticket = story.open()
    for _ in range(3):
        story.forward(hours=1)
        chase(ticket=ticket, actor=story.requester, text="And?", clock=story.clock)
    return ticket


def silent(story: Story) -> Ticket:
    ticket = story.open(impact=1, urgency=1)
    acknowledge(ticket=ticket, actor=story.agent, clock=story.clock)
    story.forward(minutes=30)
    return ticket


def declared(story: Story) -> Ticket:
    ticket = story.open(impact=1, urgency=1)
    declare_major(ticket=ticket, actor=story.incident_manager, reason="All down", clock=story.clock)
    return ticket


def urgent(story: Story) -> Ticket:
    ticket = story.open(impact=1, urgency=1)
    story.forward(minutes=15)
    return ticket


SCENES: dict[str, Any] = {
    "repeat-complaints": (repeated, ["Third of this requester: gather under a problem"]),
    "ping-pong": (bounced, ["Came back: name an owner"]),
    "vendor-overdue": (
        left_by_the_vendor,
        [
            "No answer from the vendor",
            "The vendor's time runs out",
            "The vendor is late: call the manager",
        ],
    ),
    "vip": (from_somebody_important, ["An important requester waits"]),
    "flapping": (flapping, ["Six alerts within an hour"]),
    "reopened": (reopened, ["Reopened twice"]),
    "chased": (chased, ["Asked for the third time"]),
    "ack-timeout": (silent, ["Nothing for half an hour: the acknowledgement lapses"]),
    "major": (declared, ["Declared: tell executives and communications"]),
    "major-proposal": (urgent, ["Propose a major incident"]),
}


def test_every_example_policy_beside_the_main_one_has_its_scene() -> None:
    assert SCENES.keys() == BESIDE.keys()


@pytest.mark.parametrize("slug", sorted(SCENES))
def test_an_example_policy_fires_when_its_trouble_comes(site: Story, slug: str) -> None:
    scene, names = SCENES[slug]
    install(site, "standard")
    install(site, slug)
    ticket = scene(site)
    site.forward(seconds=1)
    beside = Run.objects.filter(ticket=ticket, policy__slug=slug).order_by("-pk").first()
    assert beside is not None
    fired = [row.step.name for row in beside.firings.order_by("pk")]
    assert fired == names
    assert all(row.outcome == "fired" for row in beside.firings.all())
    assert Run.objects.filter(ticket=ticket, policy__slug="standard").exists()


def test_the_security_chain_goes_to_the_ciso_and_then_to_executives_and_legal(
    site: Story,
) -> None:
    install(site, "security")
    ticket = site.open(kind="security", restricted=False)
    site.forward(hours=4)
    assert "Page the CISO" in site.fired(ticket)
    assert "Still open: executives and legal" in site.fired(ticket)


@pytest.mark.parametrize("slug", ["security", "restricted"])
def test_the_chain_of_a_restricted_case_reaches_the_cleared_alone(site: Story, slug: str) -> None:
    install(site, slug)
    if slug == "security":
        case = site.open(kind="security", restricted=True, service=None)
    else:
        case = site.open()
        restrict(ticket=case, actor=site.agent, reason="A break-in", clock=site.clock)
    for person in (site.lead, site.manager):  # the CISO and an executive; legal is not cleared
        Clearance.objects.create(ticket=case, person=person)
    site.phone.new()
    site.forward(hours=4)
    told = site.phone.new()
    assert {("lena", "page"), ("mona", "notify")} <= set(told)
    assert "zoe" not in {name for name, _ in told}
    assert Run.objects.get(ticket=case, state="active").policy.slug == slug
    last = case.firings.get(step__name="Still open: executives and legal").explain
    assert "Zoe (legal): not cleared for this case" in last["left_out"]
