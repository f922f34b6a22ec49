"""Checks the keys to tickets, runs and firings with each statement instead of at the commit.

Django defers them, and a deferred check queues an event for every row that a batch writes.
"""

from django.db import migrations

AT_ONCE = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS holder, conname AS name FROM pg_constraint
        WHERE contype = 'f' AND condeferrable
          AND confrelid IN ('tickets_ticket'::regclass, 'escalation_run'::regclass,
                            'escalation_firing'::regclass)
          AND conrelid IN ('tickets_timelineevent'::regclass, 'escalation_run'::regclass,
                           'escalation_firing'::regclass, 'escalation_clock'::regclass,
                           'escalation_escalation'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER CONSTRAINT %I NOT DEFERRABLE',
                       found.holder, found.name);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("escalation", "0008_vendor_contacts"), ("tickets", "0007_changes_and_problems")]

    operations = [migrations.RunSQL(AT_ONCE, migrations.RunSQL.noop)]
