"""The database itself refuses to rewrite calendar revisions, audit entries and their authors."""

from django.db import migrations

REFUSE_CHANGE = """
CREATE FUNCTION roles_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is history: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;
"""

CALENDAR_REVISION = """
CREATE TRIGGER roles_calendarrevision_stands
    BEFORE UPDATE OR DELETE ON roles_calendarrevision
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_change();
"""

AUDIT_ROWS = """
CREATE TRIGGER roles_auditentry_stands
    BEFORE UPDATE OR DELETE ON roles_auditentry
    FOR EACH ROW EXECUTE FUNCTION roles_refuse_change();
"""

AUDIT_WHOLE = """
CREATE TRIGGER roles_auditentry_never_emptied
    BEFORE TRUNCATE ON roles_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION roles_refuse_change();
"""

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


class Migration(migrations.Migration):
    dependencies = [("roles", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION roles_refuse_change();"),
        migrations.RunSQL(
            CALENDAR_REVISION,
            "DROP TRIGGER roles_calendarrevision_stands ON roles_calendarrevision;",
        ),
        migrations.RunSQL(AUDIT_ROWS, "DROP TRIGGER roles_auditentry_stands ON roles_auditentry;"),
        migrations.RunSQL(
            AUDIT_WHOLE, "DROP TRIGGER roles_auditentry_never_emptied ON roles_auditentry;"
        ),
        migrations.RunSQL(
            PERSON_WITH_ACTS,
            "DROP TRIGGER roles_person_who_acted_stays ON roles_person;"
            "DROP FUNCTION roles_keep_who_acted();",
        ),
    ]
