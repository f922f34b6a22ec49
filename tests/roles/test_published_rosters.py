"""What is published for a schedule stands: no layer and no turn is slipped in behind it."""

from datetime import date, time

import pytest
from django.db import IntegrityError, connection, transaction

from roles.models import Rotation, RotationMember, Schedule
from roles.rosters import LayerSpec, publish_schedule
from tests.story import Story


def weekly(*people: object) -> LayerSpec:
    return LayerSpec(
        name="Weekly",
        people=people,
        starts_on=date(2026, 1, 5),
        handover_time=time(9),
        shift_days=7,
    )


def test_a_published_revision_takes_no_further_layer_and_no_further_turn(live_db) -> None:
    story = Story()
    rotation = Rotation.objects.filter(revision__schedule__team=story.desk).get()
    fields = {
        field.attname: getattr(rotation, field.attname)
        for field in Rotation._meta.concrete_fields
        if field.attname not in ("id", "position")
    }
    with pytest.raises(IntegrityError, match="takes no more rows"):
        Rotation.objects.create(position=9, **fields)
    with pytest.raises(IntegrityError, match="takes no more rows"):
        RotationMember.objects.create(rotation=rotation, position=9, person=story.stranger)
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="takes no more rows"):
        cursor.execute(
            "INSERT INTO roles_rotationmember (rotation_id, position, person_id)"
            " VALUES (%s, 9, %s)",
            [rotation.pk, story.stranger.pk],
        )
    assert [member.person for member in rotation.members.all()] == [story.agent]


def test_publishing_goes_on_also_within_a_savepoint_of_a_longer_transaction(live_db) -> None:
    story = Story()
    schedule = Schedule.objects.get(team=story.desk)
    with transaction.atomic():
        schedule.refresh_from_db()
        with transaction.atomic():
            revision = publish_schedule(
                schedule=schedule, layers=[weekly(story.colleague)], clock=story.clock
            )
    assert [row.name for row in revision.rotations.all()] == ["Weekly"]
