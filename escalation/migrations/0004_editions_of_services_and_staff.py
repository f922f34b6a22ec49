"""Services, categories, vendors and who works where leave a mark too when they change.

So the engine reads what a pass goes by again only once it has changed.
"""

from django.db import migrations

TABLES = (
    "tickets_service",
    "tickets_category",
    "escalation_vendor",
    "roles_membership",
    "roles_duty",
    "roles_dutyassignment",
)
WATCH = "\n".join(
    f"CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();"
    for table in TABLES
)
FORGET = "\n".join(f"DROP TRIGGER {table}_edition ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("escalation", "0003_firing_checked_at_once"),
        ("roles", "0004_retention_progress"),
        ("tickets", "0006_find_restricted"),
    ]

    operations = [migrations.RunSQL(WATCH, FORGET)]
