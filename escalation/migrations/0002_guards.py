"""What the database itself refuses: any change of a published revision or of a firing."""

from django.db import migrations

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


class Migration(migrations.Migration):
    dependencies = [("escalation", "0001_initial")]

    operations = [migrations.RunSQL(GUARDS, migrations.RunSQL.noop)]
