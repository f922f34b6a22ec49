"""When a nightly pass began that still goes on, so that its progress can be shown."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roles", "0003_retention_periods")]

    operations = [
        migrations.AddField(
            model_name="retention",
            name="pass_began_at",
            field=models.DateTimeField(
                editable=False, help_text="While a nightly pass goes over it.", null=True
            ),
        ),
    ]
