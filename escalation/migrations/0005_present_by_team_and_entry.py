"""A team's present escalations are found with their entry, without reading the rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("escalation", "0004_editions_of_services_and_staff")]

    operations = [
        migrations.RemoveIndex(model_name="escalation", name="escalation_present_by_team"),
        migrations.AddIndex(
            model_name="escalation",
            index=models.Index(
                condition=models.Q(("state__in", ["accepted", "open"])),
                fields=["to_team", "ticket", "entry"],
                name="escalation_present_by_team",
            ),
        ),
    ]
