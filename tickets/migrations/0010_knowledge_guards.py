"""What the database itself refuses: changing a published wording, and unknown ways of an article."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION tickets_guard_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published revision stands: % on % refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER revision_stands BEFORE UPDATE OR DELETE ON tickets_articlerevision
    FOR EACH ROW EXECUTE FUNCTION tickets_guard_revision();
CREATE TRIGGER revision_no_truncate BEFORE TRUNCATE ON tickets_articlerevision
    FOR EACH STATEMENT EXECUTE FUNCTION tickets_guard_revision();
CREATE FUNCTION tickets_guard_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (
        ('draft', 'published'), ('draft', 'retired'),
        ('published', 'retired'), ('retired', 'published')
    ) THEN
        RAISE EXCEPTION 'no legal way from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'article_state_legal';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER article_state_changed BEFORE UPDATE OF state ON tickets_article
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION tickets_guard_article();
"""
AWAY = """
DROP TRIGGER article_state_changed ON tickets_article;
DROP FUNCTION tickets_guard_article();
DROP TRIGGER revision_no_truncate ON tickets_articlerevision;
DROP TRIGGER revision_stands ON tickets_articlerevision;
DROP FUNCTION tickets_guard_revision();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0009_knowledge_and_feedback")]
    operations = [migrations.RunSQL(GUARDS, AWAY)]
