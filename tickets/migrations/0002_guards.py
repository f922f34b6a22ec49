"""What the database itself refuses: unknown status changes, and any change of the timeline."""

from django.db import migrations

SERIES = ("inc", "req", "sec", "prb", "chg", "res")

# Written out, as they were when this migration was made: a later change of the table needs a
# migration of its own, and a test compares the table with what the trigger allows.
PAIRS = """
    ('in_progress', 'cancelled'),
    ('in_progress', 'pending_change'),
    ('in_progress', 'pending_requester'),
    ('in_progress', 'pending_vendor'),
    ('in_progress', 'resolved'),
    ('in_progress', 'waiting_for_support'),
    ('new', 'cancelled'),
    ('new', 'resolved'),
    ('new', 'waiting_for_support'),
    ('pending_change', 'cancelled'),
    ('pending_change', 'in_progress'),
    ('pending_change', 'resolved'),
    ('pending_requester', 'cancelled'),
    ('pending_requester', 'in_progress'),
    ('pending_requester', 'resolved'),
    ('pending_vendor', 'cancelled'),
    ('pending_vendor', 'in_progress'),
    ('pending_vendor', 'resolved'),
    ('resolved', 'closed'),
    ('resolved', 'waiting_for_support'),
    ('waiting_for_support', 'cancelled'),
    ('waiting_for_support', 'in_progress'),
    ('waiting_for_support', 'resolved')
"""

STATUS_GUARD = f"""
CREATE FUNCTION tickets_guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.origin = 'live' AND NEW.status <> 'new' THEN
            RAISE EXCEPTION 'a live ticket is born new, not %', NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ticket_status_legal';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, NEW.status) NOT IN ({PAIRS}) THEN
        RAISE EXCEPTION 'no legal way from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ticket_status_legal';
    END IF;
    IF NEW.last_seq <= OLD.last_seq THEN
        RAISE EXCEPTION 'a status change needs an event on the timeline'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ticket_status_told';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_status_born BEFORE INSERT ON tickets_ticket
    FOR EACH ROW EXECUTE FUNCTION tickets_guard_status();
CREATE TRIGGER tickets_status_changed BEFORE UPDATE OF status ON tickets_ticket
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION tickets_guard_status();
"""

APPEND_ONLY = """
CREATE FUNCTION tickets_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the timeline is append-only: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER timeline_append_only BEFORE UPDATE OR DELETE ON tickets_timelineevent
    FOR EACH ROW EXECUTE FUNCTION tickets_refuse_change();
CREATE TRIGGER timeline_no_truncate BEFORE TRUNCATE ON tickets_timelineevent
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_refuse_change();
CREATE TRIGGER body_never_rewritten BEFORE UPDATE ON tickets_eventbody
    FOR EACH ROW EXECUTE FUNCTION tickets_refuse_change();
CREATE TRIGGER body_no_truncate BEFORE TRUNCATE ON tickets_eventbody
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "\n".join(f"CREATE SEQUENCE tickets_number_{name};" for name in SERIES),
            "\n".join(f"DROP SEQUENCE tickets_number_{name};" for name in SERIES),
        ),
        migrations.RunSQL(STATUS_GUARD, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, migrations.RunSQL.noop),
    ]
