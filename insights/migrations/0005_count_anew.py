"""Detection is told in working time too: every ticket is counted anew, by and by."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ("insights", "0004_what_an_opening_alone_says"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE insights_folded SET seq = 0; UPDATE insights_foldmark SET swept_at = NULL;",
            migrations.RunSQL.noop,
        ),
    ]
