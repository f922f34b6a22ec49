"""Schedules get a history: layers stand in immutable revisions, swaps and private links beside."""

import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import roles.models.calendar
import roles.zones

# What stood before holds from the beginning: nothing older is known.
INTO_REVISIONS = """
INSERT INTO roles_schedulerevision (schedule_id, number, valid_from, reason, created_at)
    SELECT id, 1, '1970-01-01 00:00:00+00', '', statement_timestamp() FROM roles_schedule;
UPDATE roles_rotation SET
    revision_id = (SELECT r.id FROM roles_schedulerevision r
                   WHERE r.schedule_id = roles_rotation.schedule_id AND r.number = 1),
    zone = (SELECT s.zone FROM roles_schedule s WHERE s.id = roles_rotation.schedule_id);
SET CONSTRAINTS ALL IMMEDIATE;
"""

STANDING = ("schedulerevision", "rotation", "rotationmember")
STAND = "\n".join(
    f"""
CREATE TRIGGER roles_{table}_stands
    BEFORE UPDATE OR DELETE ON roles_{table}
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_change();
"""
    for table in STANDING
)
FALL = "\n".join(f"DROP TRIGGER roles_{table}_stands ON roles_{table};" for table in STANDING)


def own_id():
    return (
        "id",
        models.BigAutoField(
            auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
        ),
    )


def who():
    """A person who wrote something, if it was one."""
    return models.ForeignKey(
        blank=True,
        editable=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def person(related_name):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [("roles", "0002_history_stands")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="left_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When the account was switched off; what they served before stays theirs.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="schedule",
            name="zone",
            field=models.CharField(
                help_text="IANA zone in which it is shown, and of layers that name no other.",
                max_length=64,
                validators=[roles.zones.validate_zone],
                verbose_name="time zone",
            ),
        ),
        migrations.CreateModel(
            name="ScheduleRevision",
            fields=[
                own_id(),
                ("number", models.PositiveIntegerField()),
                ("valid_from", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("created_by", who()),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="roles.schedule",
                    ),
                ),
            ],
            options={
                "ordering": ["schedule", "-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("schedule", "number"), name="roles_schedulerevision_number_once"
                    )
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="rotation", name="roles_rotation_position_once"),
        migrations.RemoveConstraint(model_name="rotation", name="roles_rotation_shift_days_sane"),
        migrations.AddField(
            model_name="rotation",
            name="revision",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rotations",
                to="roles.schedulerevision",
            ),
        ),
        migrations.AddField(
            model_name="rotation",
            name="zone",
            field=models.CharField(
                max_length=64,
                validators=[roles.zones.validate_zone],
                verbose_name="time zone",
                default="UTC",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="rotation",
            name="shift_hours",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Length of a shift in hours by the wall clock, in place of days.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(2000),
                ],
            ),
        ),
        migrations.AddField(
            model_name="rotation",
            name="restrictions",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text=(
                    "Weekly hours to which the layer is limited: [weekday, start, end] with Monday "
                    "0 and minutes of the local day; empty: all of the time."
                ),
            ),
        ),
        migrations.AlterField(
            model_name="rotation",
            name="shift_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Length of a shift in days: 1 for daily, 7 for weekly; or give hours.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(366),
                ],
            ),
        ),
        migrations.RunSQL(INTO_REVISIONS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="rotation",
            name="revision",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rotations",
                to="roles.schedulerevision",
            ),
        ),
        migrations.AlterModelOptions(
            name="rotation", options={"ordering": ["revision", "position"]}
        ),
        migrations.RemoveField(model_name="rotation", name="schedule"),
        migrations.AlterField(
            model_name="rotationmember",
            name="rotation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="members",
                to="roles.rotation",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.UniqueConstraint(
                fields=("revision", "position"),
                name="roles_rotation_position_once",
                violation_error_message="Another layer has this position.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.CheckConstraint(
                condition=models.Q(("zone", ""), _negated=True), name="roles_rotation_has_zone"
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("shift_days__isnull", False), ("shift_hours__isnull", True)),
                    models.Q(("shift_days__isnull", True), ("shift_hours__isnull", False)),
                    _connector="OR",
                ),
                name="roles_rotation_one_shift_length",
                violation_error_message="Give the length of a shift in days or in hours.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("shift_days__isnull", True),
                        models.Q(("shift_days__gte", 1), ("shift_days__lte", 366)),
                        _connector="OR",
                    ),
                    models.Q(
                        ("shift_hours__isnull", True),
                        models.Q(("shift_hours__gte", 1), ("shift_hours__lte", 2000)),
                        _connector="OR",
                    ),
                ),
                name="roles_rotation_shift_length_sane",
            ),
        ),
        migrations.AddConstraint(
            model_name="rotation",
            constraint=models.CheckConstraint(
                condition=roles.models.calendar.every(
                    "restrictions", roles.models.calendar.BAD_SPAN
                ),
                name="roles_rotation_restrictions_sound",
            ),
        ),
        migrations.CreateModel(
            name="Swap",
            fields=[
                own_id(),
                (
                    "during",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        help_text="The giver's hours, which the taker would serve."
                    ),
                ),
                (
                    "in_return",
                    django.contrib.postgres.fields.ranges.DateTimeRangeField(
                        blank=True,
                        help_text="The taker's hours, which the giver would serve; or none.",
                        null=True,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Waiting for the other"),
                            ("accepted", "Agreed"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("requested_at", models.DateTimeField(editable=False)),
                ("answered_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("answered_by", who()),
                ("giver", person("swaps_given")),
                ("requested_by", who()),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="swaps",
                        to="roles.schedule",
                    ),
                ),
                ("taker", person("swaps_taken")),
            ],
            options={
                "ordering": ["-requested_at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("giver", models.F("taker")), _negated=True),
                        name="roles_swap_between_two",
                        violation_error_message="A swap needs two people.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("during__isempty", False),
                            ("during__lower_inf", False),
                            ("during__upper_inf", False),
                        ),
                        name="roles_swap_has_ends",
                        violation_error_message="A swap needs a start and a later end.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("in_return__isnull", True),
                            models.Q(
                                ("in_return__isempty", False),
                                ("in_return__lower_inf", False),
                                ("in_return__upper_inf", False),
                            ),
                            _connector="OR",
                        ),
                        name="roles_swap_return_has_ends",
                        violation_error_message="The hours in return need a start and a later end.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answered_at__isnull", True), ("state", "requested")),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("state__in", ["accepted", "declined", "withdrawn"]),
                            ),
                            _connector="OR",
                        ),
                        name="roles_swap_answered_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="override",
            name="swap",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="overrides",
                to="roles.swap",
            ),
        ),
        migrations.CreateModel(
            name="CalendarLink",
            fields=[
                own_id(),
                (
                    "name",
                    models.CharField(blank=True, help_text="Where it is used.", max_length=200),
                ),
                ("nonce", models.CharField(editable=False, max_length=32, unique=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("revoked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("person", person("calendar_links")),
            ],
            options={"ordering": ["-created_at", "-id"]},
        ),
        migrations.RunSQL(STAND, FALL),
    ]
