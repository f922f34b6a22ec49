"""What is kept of the site's set-up holds for as long as the set-up does, and no longer."""

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from escalation.models import Policy, Run, Target, Vendor
from roles.editions import Kept, edition
from roles.models import Calendar, Duty, DutyAssignment, Membership, Team, Tier
from roles.refusals import Invalid
from tests.story import notify, unacknowledged
from tickets.models import Category, EventKind, Route, Service, TimelineEvent
from tickets.opening import open_ticket

OF_ALL = (Tier, Team, Calendar, Route, Policy, Target)
OF_THE_ENGINE = (Service, Category, Vendor, Membership, Duty, DutyAssignment)
WATCHED = (*OF_ALL, *OF_THE_ENGINE)


@pytest.mark.parametrize("model", WATCHED, ids=lambda model: model._meta.label)
def test_whatever_is_written_to_the_setup_makes_a_new_edition(story, model):
    story.target("resolution", 60)
    story.policy("desk", unacknowledged(5, "remind", notify("assignee")))
    before = edition()
    assert edition() == before
    model.objects.update(**{model._meta.pk.name: F(model._meta.pk.name)})
    changed = edition()
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id = 0")
    assert len({before, changed, edition()}) == 3


def test_what_was_read_is_read_again_only_once_the_setup_has_changed(story):
    slugs = Kept(lambda: list(Tier.objects.order_by("slug").values_list("slug", flat=True)))
    first = slugs.latest()
    assert slugs.latest() is first
    Tier.objects.create(slug="l9", name="L9", kind="ladder", rank=9)
    assert "l9" in slugs.latest()


def test_a_change_that_is_taken_back_is_forgotten(story):
    routes = Kept(Route.objects.count)
    before = routes.latest()
    with transaction.atomic():
        Route.objects.all().delete()
        assert routes.latest() == 0
        transaction.set_rollback(True)
    assert routes.latest() == before > 0


def test_the_very_next_ticket_goes_by_a_changed_route_target_and_policy(story):
    story.open()
    story.mail.routes.filter(tier=story.tiers["l2"]).update(team=story.platform)
    story.mail.routes.filter(tier=story.tiers["l2"]).update(takes_new=True)
    story.target("resolution", 60)
    story.policy("desk", unacknowledged(5, "remind", notify("assignee")))
    ticket = story.fresh(story.open())
    assert ticket.team == story.platform
    assert ticket.next_due_at is not None
    assert Run.objects.get(ticket=ticket).policy.slug == "desk"
    Policy.objects.update(is_active=False)
    assert not Run.objects.filter(ticket=story.open()).exists()


def test_a_ticket_that_is_opened_comes_out_as_if_it_had_been_looked_at_in_full(story):
    story.target("resolution", 60)
    story.policy("desk", unacknowledged(5, "remind", notify("assignee")))
    story.open()
    with CaptureQueriesContext(connection) as caught:
        ticket = story.open()
    read = [query["sql"] for query in caught if query["sql"].startswith("SELECT")]
    assert not any('FROM "tickets_' in sql for sql in read)
    kinds = list(TimelineEvent.objects.filter(ticket=ticket).values_list("kind", flat=True))
    born = [EventKind.OPENED, EventKind.MOVED, EventKind.TARGETED, EventKind.RUN_STARTED]
    assert kinds == born
    columns = (ticket.next_due_at, ticket.next_step_at, ticket.last_seq, ticket.last_hash)
    stored = story.fresh(ticket)
    same = (stored.next_due_at, stored.next_step_at, stored.last_seq, stored.last_hash)
    assert same == columns


def test_an_opening_that_is_refused_leaves_nothing(story):
    story.desk.is_service_desk = False
    story.desk.save()
    before = TimelineEvent.objects.count()
    with pytest.raises(Invalid, match="service desk"):
        open_ticket(subject="x", requester=story.requester, actor=story.requester)
    assert TimelineEvent.objects.count() == before
