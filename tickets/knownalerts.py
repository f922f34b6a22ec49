"""What is known already of a source's alerts and groups when it sends some more."""

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Case, F, QuerySet, Value, When

from roles.written import Written, any_of
from tickets import states
from tickets.models import Alert


def _newest(source: int, keys: Sequence[str]) -> QuerySet[Alert]:
    """The newest alert of each key, with the status of its ticket, and the key of an open one."""
    rows = Alert.objects.filter(any_of("dedup_key", keys), source=source)
    return (
        rows.order_by("dedup_key", "-id")
        .distinct("dedup_key")
        .annotate(
            ticket_status=F("ticket__status"),
            ticket_key=Case(When(ticket__restricted=False, then="ticket__key"), default=Value("")),
        )
    )


def _of_groups(source: int, groups: Sequence[str]) -> QuerySet[Any, Any]:
    """The open ticket of each group, by its newest alert."""
    rows = Alert.objects.filter(any_of("group_key", groups), source=source)
    open_ones = rows.filter(ticket__status__in=sorted(states.OPEN))
    newest = open_ones.order_by("group_key", "-id").distinct("group_key")
    return newest.values_list("group_key", "ticket_id")


NEWEST: Final = Written(_newest, source=int, keys=list[str])
OF_GROUPS: Final = Written(_of_groups, source=int, groups=list[str])
