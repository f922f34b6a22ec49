"""A published schedule revision takes no further layers and turns: it stands as it was published.

Its rows are written in the transaction that makes it, and only there. Whether that one still runs
is asked of the row itself: the transaction that wrote a visible row is over, or it is this one (a
savepoint of it, mostly, which is why it is not enough to compare numbers). A number too old to be
known any more answers null, and so refuses too.
"""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION roles_refuse_late_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written xid;
    current bigint := pg_current_xact_id()::text::bigint;
    whole bigint;
BEGIN
    IF TG_TABLE_NAME = 'roles_rotation' THEN
        SELECT xmin INTO written FROM roles_schedulerevision WHERE id = NEW.revision_id;
    ELSE
        SELECT xmin INTO written FROM roles_rotation WHERE id = NEW.rotation_id;
    END IF;
    -- The row tells the lower half of the number alone; the upper one is ours, or the one before.
    whole := (current >> 32 << 32) + written::text::bigint;
    IF whole > current + 1000000000 THEN
        whole := whole - (1::bigint << 32);
    END IF;
    IF written IS NULL OR whole < 3
        OR pg_xact_status(whole::text::xid8) IS DISTINCT FROM 'in progress'
    THEN
        RAISE EXCEPTION '% is history: a published revision takes no more rows', TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
"""

TABLES = ("rotation", "rotationmember")
TRIGGERS = "\n".join(
    f"""
CREATE TRIGGER roles_{table}_in_time
    BEFORE INSERT ON roles_{table}
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_late_row();
"""
    for table in TABLES
)
GONE = "\n".join(f"DROP TRIGGER roles_{table}_in_time ON roles_{table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("roles", "0004_public_holidays")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION roles_refuse_late_row();"),
        migrations.RunSQL(TRIGGERS, GONE),
    ]
