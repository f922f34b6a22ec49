from django.db import migrations

TABLES = ("tickets_route",)

WATCH = "\n".join(
    f"CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();"
    for table in TABLES
)
UNWATCH = "\n".join(f"DROP TRIGGER {table}_edition ON {table};" for table in TABLES)


class Migration(migrations.Migration):

    dependencies = [
        ("roles", "0007_editions_of_the_setup"),
        ("tickets", "0019_feed"),
    ]

    operations = [migrations.RunSQL(WATCH, UNWATCH)]
