"""An imported ticket sleeps until it is adopted, and wakes without a flood."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from escalation.models import Clock, Firing, Run
from notifications.models import Message
from roles.refusals import Invalid
from tests.api.history_file import row, write
from tests.story import Story, notify, percent, unacknowledged
from tickets.adoption import adopt
from tickets.models import Ticket, TimelineEvent

pytestmark = pytest.mark.django_db
BOSS = "duty:incident-manager"


@pytest.fixture
def story(story: Story, tmp_path: Path) -> Story:
    """A site with a policy and three imported tickets: two open for ten years, one closed."""
    story.target("resolution", 240)
    story.policy(
        "p",
        unacknowledged(10, "Nobody looks", notify(BOSS)),
        percent("resolution", 50, "Half", notify(BOSS)),
        percent("resolution", 75, "Three quarters", notify(BOSS)),
        percent("resolution", 100, "Late", notify(BOSS)),
    )
    closed = row(
        number="INC0000003",
        incident_state="Closed",
        sys_mod_count=1,
        sys_updated_at="2/3/2016 09:00",
    )
    rows = [row(number="INC0000001"), row(number="INC0000002"), row(number="INC0000003"), closed]
    path = write(tmp_path / "export.csv.gz", rows)
    rejects = tmp_path / "rejects.csv"
    call_command("import_history", "servicenow", str(path), stdout=StringIO(), rejects=rejects)
    return story


def asleep() -> list[Ticket]:
    return list(Ticket.objects.filter(origin="imported").order_by("id"))


def test_before_adoption_nothing_runs_and_nobody_hears(story: Story) -> None:
    assert len(asleep()) == 3
    story.forward(days=2)
    assert not Run.objects.exists()
    assert not Message.objects.exists()


def test_adopted_they_run_as_live_and_of_old_thresholds_only_the_highest_fires(
    story: Story,
) -> None:
    tickets = asleep()[:2]
    outcome = adopt(
        ticket_ids=[each.pk for each in tickets],
        actor=story.incident_manager,
        reason="We take over",
        clock=story.clock,
    )
    assert [each.pk for each in outcome.tickets] == [each.pk for each in tickets]
    story.sweep()
    for ticket in tickets:
        fresh = story.fresh(ticket)
        assert (fresh.origin, fresh.entered_at) == ("live", story.now)
        assert story.fired(ticket) == ["Half (skipped)", "Three quarters (skipped)", "Late"]
    story.phone.rang(("ivan", "notify"), ("ivan", "notify"))
    story.forward(minutes=9)
    story.phone.was_silent()
    story.forward(minutes=1)
    story.phone.rang(("ivan", "notify"), ("ivan", "notify"))
    call_command("verify_timeline", stdout=StringIO())
    call_command("verify_clocks", stdout=StringIO())


def test_what_is_over_ours_or_not_ones_own_to_adopt_stays_and_says_why(story: Story) -> None:
    *_, closed = asleep()
    ours = story.open()
    everything = [*(each.pk for each in asleep()), ours.pk]
    refused = adopt(ticket_ids=everything, actor=story.agent, reason="Mine", clock=story.clock)
    assert (refused.tickets, len(refused.left)) == ([], 4)
    assert not TimelineEvent.objects.filter(kind="adopted").exists()
    outcome = adopt(
        ticket_ids=everything, actor=story.incident_manager, reason="Take", clock=story.clock
    )
    assert len(outcome.tickets) == 2
    assert set(outcome.left) == {closed.key, ours.key}
    with pytest.raises(Invalid):
        adopt(ticket_ids=everything, actor=None, reason=" ", clock=story.clock)


def test_the_past_of_an_adopted_ticket_counts_against_its_clock(story: Story) -> None:
    ticket = asleep()[0]
    adopt(ticket_ids=[ticket.pk], actor=None, reason="Take", clock=story.clock)
    clock = Clock.objects.get(ticket=ticket, kind="resolution")
    assert clock.started_at == ticket.opened_at
    assert clock.breached_at is not None
    assert not Firing.objects.exists()
