"""Targets with another length for the first word, and the index of breaches nobody has noted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0004_triggers_gates_and_holds"),
    ]

    operations = [
        migrations.AddField(
            model_name="targetrevision",
            name="first_seconds",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Working seconds allowed for the first word of a series, where it differs.",
                null=True,
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("breached_at__isnull", False), ("noted_breach", False)),
                fields=["breached_at"],
                name="clock_missed_unnoted",
            ),
        ),
        migrations.AddConstraint(
            model_name="targetrevision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("first_seconds__isnull", True),
                    models.Q(
                        ("clock__in", ["next_update", "stakeholder_update"]),
                        ("first_seconds__gte", 1),
                    ),
                    _connector="OR",
                ),
                name="target_first_of_a_series",
            ),
        ),
    ]
