"""An index for the newest tickets, which is what programs list first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0004_guards")]

    operations = [
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["opened_at", "id"], name="ticket_by_opening"),
        ),
    ]
