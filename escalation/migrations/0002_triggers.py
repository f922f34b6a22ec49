"""What the database itself refuses of rules and firings, and the editions of the rules."""

from django.db import migrations

# A published revision and a firing stand as they were written.
GUARDS = """
CREATE FUNCTION escalation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: these rows are immutable', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION escalation_guard_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    revision bigint := CASE TG_OP WHEN 'DELETE' THEN OLD.revision_id ELSE NEW.revision_id END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM escalation_policyrevision
        WHERE id = revision AND published_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the steps of a published revision are immutable'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER target_revision_immutable BEFORE UPDATE OR DELETE ON escalation_targetrevision
    FOR EACH ROW EXECUTE FUNCTION escalation_refuse_change();
CREATE TRIGGER policy_revision_immutable BEFORE UPDATE OR DELETE ON escalation_policyrevision
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL)
    EXECUTE FUNCTION escalation_refuse_change();
CREATE TRIGGER policy_step_immutable BEFORE INSERT OR UPDATE OR DELETE ON escalation_policystep
    FOR EACH ROW EXECUTE FUNCTION escalation_guard_step();
CREATE TRIGGER firing_immutable BEFORE UPDATE OR DELETE ON escalation_firing
    FOR EACH ROW EXECUTE FUNCTION escalation_refuse_change();
CREATE TRIGGER firing_no_truncate BEFORE TRUNCATE ON escalation_firing
    FOR EACH STATEMENT EXECUTE FUNCTION escalation_refuse_change();
"""

# Keys of what a batch writes are checked with each statement instead of at the commit: Django
# defers them, and a deferred check queues an event for every row.
AT_ONCE = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS holder, conname AS name FROM pg_constraint
        WHERE contype = 'f' AND condeferrable
          AND confrelid IN ('tickets_ticket'::regclass, 'escalation_run'::regclass)
          AND conrelid IN ('tickets_timelineevent'::regclass, 'escalation_run'::regclass,
                           'escalation_firing'::regclass, 'escalation_clock'::regclass,
                           'escalation_escalation'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE',
                       found.holder, found.name);
    END LOOP;
END $$;
"""

WATCH = "\n".join(
    f"CREATE TRIGGER {table}_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();"
    for table in ("escalation_policy", "escalation_target")
)


class Migration(migrations.Migration):
    replaces = [("escalation", "0015_reviews_and_risk")]
    dependencies = [("escalation", "0001_tables")]

    operations = [migrations.RunSQL(GUARDS), migrations.RunSQL(AT_ONCE), migrations.RunSQL(WATCH)]
