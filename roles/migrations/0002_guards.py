"""What the database itself refuses of history, who stays, and the editions of the setup."""

from django.db import migrations

# Calendar revisions, schedules' revisions and the audit stand as they were written.
HISTORY = """
CREATE FUNCTION roles_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER roles_auditentry_never_emptied
    BEFORE TRUNCATE ON roles_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION roles_refuse_change();
"""
STAND = "\n".join(
    f"""
CREATE TRIGGER roles_{table}_stands
    BEFORE UPDATE OR DELETE ON roles_{table}
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_change();
"""
    for table in ("calendarrevision", "auditentry", "schedulerevision", "rotation", "rotationmember")
)

# Audit entries name their actor without a foreign key, so the key's work is done here.
PERSON_WITH_ACTS = """
CREATE FUNCTION roles_keep_who_acted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM roles_auditentry WHERE actor_id = OLD.id) THEN
        RAISE EXCEPTION 'person % has acted: make the account inactive instead', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER roles_person_who_acted_stays
    BEFORE DELETE ON roles_person
    FOR EACH ROW EXECUTE FUNCTION roles_keep_who_acted();
"""

# A published schedule revision takes no further layers and turns: its rows are written in the
# transaction that makes it, and only there. Whether that one still runs is asked of the row itself:
# the transaction that wrote a visible row is over, or it is this one (a savepoint of it, mostly,
# which is why it is not enough to compare numbers). A number too old to be known any more answers
# null, and so refuses too.
LATE_ROWS = """
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
IN_TIME = "\n".join(
    f"""
CREATE TRIGGER roles_{table}_in_time
    BEFORE INSERT ON roles_{table}
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_late_row();
"""
    for table in ("rotation", "rotationmember")
)

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
    for table in ("roles_tier", "roles_team", "roles_calendar")
)


class Migration(migrations.Migration):
    replaces = [("roles", "0007_editions_of_the_setup")]
    dependencies = [("roles", "0001_tables")]

    operations = [
        migrations.RunSQL(HISTORY + STAND),
        migrations.RunSQL(PERSON_WITH_ACTS),
        migrations.RunSQL(LATE_ROWS + IN_TIME),
        migrations.RunSQL(EDITIONS + WATCH),
    ]
