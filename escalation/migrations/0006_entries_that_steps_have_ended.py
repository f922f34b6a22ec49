"""A step that moved a ticket says out of which team entry, whatever it went by."""

from django.db import migrations, models

# Firings stand as they were written; this only says of old ones what new ones say by themselves.
FILL = """
ALTER TABLE escalation_firing DISABLE TRIGGER firing_immutable;
UPDATE escalation_firing AS old SET left_entry = moved.from_entry
FROM escalation_escalation AS moved
WHERE moved.firing_id = old.id AND moved.type = 'functional';
ALTER TABLE escalation_firing ENABLE TRIGGER firing_immutable;
"""


class Migration(migrations.Migration):
    dependencies = [("escalation", "0005_present_by_team_and_entry")]

    operations = [
        migrations.AddField(
            model_name="firing",
            name="left_entry",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
