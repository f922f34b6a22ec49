from django.db import migrations

TABLES = ("roles_tier", "roles_team", "roles_calendar")

EDITIONS = """
CREATE TABLE roles_edition (
    mark bigint NOT NULL DEFAULT (random() * 281474976710656)::bigint,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO roles_edition DEFAULT VALUES;

CREATE FUNCTION roles_new_edition() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    INSERT INTO roles_edition DEFAULT VALUES;
    -- Now and then, what no transaction under way can still be adding to is let go.
    IF random() < 0.02 THEN
        DELETE FROM roles_edition WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM roles_edition
            WHERE at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED
        ));
    END IF;
    RETURN NULL;
END $fn$;
"""

WATCH = "\n".join(
    f"CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();"
    for table in TABLES
)
UNWATCH = "\n".join(f"DROP TRIGGER {table}_edition ON {table};" for table in TABLES)


class Migration(migrations.Migration):

    dependencies = [
        ("roles", "0006_finer_token_scopes"),
    ]

    operations = [
        migrations.RunSQL(EDITIONS, "DROP FUNCTION roles_new_edition(); DROP TABLE roles_edition;"),
        migrations.RunSQL(WATCH, UNWATCH),
    ]
