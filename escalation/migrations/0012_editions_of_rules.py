from django.db import migrations

TABLES = ("escalation_policy", "escalation_target")

WATCH = "\n".join(
    f"CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();"
    for table in TABLES
)
UNWATCH = "\n".join(f"DROP TRIGGER {table}_edition ON {table};" for table in TABLES)


class Migration(migrations.Migration):

    dependencies = [
        ("roles", "0007_editions_of_the_setup"),
        ("escalation", "0011_escalated_to_us"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]
