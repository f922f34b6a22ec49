"""Times are told by policy too, and steps counted: every ticket is counted anew, by and by."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("insights", "0005_count_anew"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE insights_folded SET seq = 0; UPDATE insights_foldmark SET swept_at = NULL;",
            migrations.RunSQL.noop,
        ),
    ]
