from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0005_tickets_by_opening")]

    operations = [
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(restricted=True), fields=["id"], name="ticket_cases"
            ),
        )
    ]
