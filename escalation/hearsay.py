"""Whether what monitors say of a ticket that stands where it stood is anything to its climbs."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import connection

from escalation.models import Run
from escalation.steps import FLAPPING

TURNED: Final = """
SELECT EXISTS (
    SELECT FROM escalation_run AS run
    LEFT JOIN escalation_policystep AS step
        ON step.revision_id = run.revision_id AND step.trigger = %s
    WHERE run.ticket_id = ANY(%s) AND run.state = %s AND (
        run.postponed <> '{}' OR step.id IS NOT NULL AND (
            step.count <= (
                SELECT count(*) FROM (
                    SELECT FROM tickets_alert AS alert
                    WHERE alert.ticket_id = run.ticket_id
                        AND alert.first_seen_at > %s - make_interval(secs => step.window_s)
                    LIMIT step.count
                ) AS enough
            )
        ) <> coalesce((run.reached -> step.id::text -> 'holds')::boolean, false)
    )
)
"""


def is_heard(ticket_ids: Collection[int], at: datetime) -> bool:
    """Whether climbs of these tickets have to be looked at after nothing but words of monitors.

    Their alerts are counted by steps on flapping alone, which are asked here whether the count has
    come to hold or holds no more; and what a climb has put off is judged anew with any news. One
    statement, whatever the number of alerts.
    """
    with connection.cursor() as cursor:
        cursor.execute(TURNED, [FLAPPING, list(ticket_ids), Run.State.ACTIVE, at])
        return bool(cursor.fetchone()[0])
