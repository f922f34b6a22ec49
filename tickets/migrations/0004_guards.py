"""What the database itself refuses of tickets and articles, and the words they are found by."""

from django.db import migrations

SERIES = ("inc", "req", "sec", "prb", "chg", "res")
NUMBERS = "\n".join(f"CREATE SEQUENCE tickets_number_{name};" for name in SERIES)

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

# A published wording stands, and an article goes the ways it may.
ARTICLES = """
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

# Marks between words part them: orders-db-2 is three words, and so is 10.0.0.1 four.
MARKS = "-_./:@\\#%&?=+*~|()[]{}<>,;!'\"`^$"
LITERAL = "'" + MARKS.replace("'", "''") + "'"

PARTED = f"""
CREATE FUNCTION tickets_words(given text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $fn$
    SELECT to_tsvector('simple'::regconfig, translate(given, {LITERAL}, '{" " * len(MARKS)}'))
$fn$;
"""

WORDS = """
CREATE FUNCTION tickets_words_of_tickets() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    INSERT INTO tickets_ticketwords (ticket_id, event_id, is_public, words)
    SELECT id, NULL, true, tickets_words(subject || ' ' || description || ' ' || asset)
    FROM fresh;
    RETURN NULL;
END $fn$;
CREATE TRIGGER tickets_words_born AFTER INSERT ON tickets_ticket
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION tickets_words_of_tickets();

CREATE FUNCTION tickets_words_changed() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    UPDATE tickets_ticketwords
    SET words = tickets_words(NEW.subject || ' ' || NEW.description || ' ' || NEW.asset)
    WHERE ticket_id = NEW.id AND event_id IS NULL;
    RETURN NULL;
END $fn$;
CREATE TRIGGER tickets_words_rewritten AFTER UPDATE OF subject, description, asset
    ON tickets_ticket FOR EACH ROW
    WHEN ((OLD.subject, OLD.description, OLD.asset)
          IS DISTINCT FROM (NEW.subject, NEW.description, NEW.asset))
    EXECUTE FUNCTION tickets_words_changed();

CREATE FUNCTION tickets_words_of_bodies() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    INSERT INTO tickets_ticketwords (ticket_id, event_id, is_public, words)
    SELECT event.ticket_id, event.id, event.is_public, tickets_words(fresh.text)
    FROM fresh JOIN tickets_timelineevent event ON event.id = fresh.event_id
    WHERE event.kind NOT IN ('opened', 'linked', 'merged')
      AND (event.is_public OR event.kind = 'commented' OR event.actor_id IS NOT NULL);
    RETURN NULL;
END $fn$;
CREATE TRIGGER tickets_words_said AFTER INSERT ON tickets_eventbody
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT
    EXECUTE FUNCTION tickets_words_of_bodies();

CREATE FUNCTION tickets_words_erased() RETURNS trigger LANGUAGE plpgsql AS $fn$
BEGIN
    DELETE FROM tickets_ticketwords USING gone WHERE tickets_ticketwords.event_id = gone.event_id;
    RETURN NULL;
END $fn$;
CREATE TRIGGER tickets_words_erased AFTER DELETE ON tickets_eventbody
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
    EXECUTE FUNCTION tickets_words_erased();
"""

EDITIONS = """
CREATE TRIGGER tickets_route_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON tickets_route
    FOR EACH STATEMENT EXECUTE FUNCTION roles_new_edition();
"""

# Counts of repeats are written in place, on the page where the row stands.
ROOM = "ALTER TABLE tickets_alert SET (fillfactor = 85)"


class Migration(migrations.Migration):
    replaces = [("tickets", "0024_reviews_and_risk")]
    dependencies = [("tickets", "0003_alerts_and_mail")]

    operations = [
        migrations.RunSQL(NUMBERS),
        migrations.RunSQL(STATUS_GUARD),
        migrations.RunSQL(APPEND_ONLY),
        migrations.RunSQL(ARTICLES),
        migrations.RunSQL(PARTED + WORDS),
        migrations.RunSQL(EDITIONS),
        migrations.RunSQL(ROOM),
    ]
