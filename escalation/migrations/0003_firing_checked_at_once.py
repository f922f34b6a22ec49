"""The key from an escalation to its firing is checked with the statement again, not at the commit.

It was made anew, and so deferred, when its index was dropped; a batch writes one of them a step.
"""

from django.db import migrations

AT_ONCE = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conname AS name FROM pg_constraint
        WHERE contype = 'f' AND condeferrable
          AND conrelid = 'escalation_escalation'::regclass
          AND confrelid = 'escalation_firing'::regclass
    LOOP
        EXECUTE format('ALTER TABLE escalation_escalation ALTER CONSTRAINT %I NOT DEFERRABLE',
                       found.name);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("escalation", "0002_triggers")]

    operations = [migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop)]
