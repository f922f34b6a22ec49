"""Let go of the tables of saved views and of acts on many tickets, which stay as they are.

The tickets' floor takes them over, so that programs can have what people have.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("web", "0001_tables"), ("tickets", "0006_find_restricted")]
    run_before = [("tickets", "0007_views_and_bulk_acts")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel(name="SavedView"),
                migrations.DeleteModel(name="BulkAct"),
            ],
        ),
    ]
