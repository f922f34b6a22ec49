"""Asks the database what Opsgenie's query language asks of one alert."""

import json
from datetime import UTC, datetime
from typing import Final

from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.functions import Coalesce

from api.intake.alertquery import FLAGS, NUMBERS, TIMES, And, BadQuery, Node, Not, Or, Term
from api.intake.opsgenie import BY_SEVERITY, PRIORITIES
from tickets import states

LOOKUPS: Final = {"<": "__lt", ">": "__gt", "<=": "__lte", ">=": "__gte", ":": "", "=": ""}
COLUMNS: Final = {
    "message": "summary",
    "description": "details__description",
    "entity": "details__entity",
    "source": "details__source",
    "user": "details__user",
}
NUMBER_COLUMNS: Final = {"count": "count"}
TIME_COLUMNS: Final = {
    "createdat": "first_seen_at",
    "lastoccurredat": "last_seen_at",
    "updatedat": "last_seen_at",
}
AT_WORK: Final = sorted(states.PENDING | {states.IN_PROGRESS})
NOTHING: Final = Q(pk__in=())
ACKNOWLEDGED: Final = (
    Q(ticket__acknowledged_at__isnull=False)
    | Q(ticket__status__in=AT_WORK)
    | Q(ticket=None, marks__acknowledged_by__gt="")
)


def to_q(node: Node) -> Q:
    """The condition on alerts, with their tickets, that a query's tree stands for."""
    if isinstance(node, Not):
        return _negated(to_q(node.inner))
    if isinstance(node, And | Or):
        joined = Q()
        for part in node.parts:
            joined = joined & to_q(part) if isinstance(node, And) else joined | to_q(part)
        return joined
    return _term(node)


def _negated(condition: Q) -> Q:
    """The opposite; a condition on what is missing is unknown to SQL, and does not hold here."""
    if not condition:
        return NOTHING
    wrapped = ExpressionWrapper(condition, output_field=BooleanField())
    return ~Q(Coalesce(wrapped, Value(False)))


def _term(term: Term) -> Q:
    field, value = term.field, term.value
    if not field:
        return Q(summary__icontains=value.strip("*"))
    if field in FLAGS:
        return _flag(field, value.lower() == "true")
    if field in NUMBERS:
        return Q(**{NUMBER_COLUMNS[field] + LOOKUPS[term.mark]: int(value)})
    if field in TIMES:
        return _time(field, term.mark, int(value))
    if field == "status":
        return _status(value.lower())
    if field == "priority":
        return _priority(value.upper())
    return _text(field, value)


def _flag(field: str, wanted: bool) -> Q:
    found = Q(marks__has_key="snoozed_until") if field == "snoozed" else ACKNOWLEDGED
    if field == "acknowledged":
        found &= Q(state="firing")
    return found if wanted else _negated(found)


def _time(field: str, mark: str, ms: int) -> Q:
    column = TIME_COLUMNS.get(field)
    if column is None:
        return NOTHING
    try:
        at = datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        raise BadQuery(f"{ms} is no time in milliseconds.") from None
    return Q(**{column + LOOKUPS[mark]: at})


def _status(value: str) -> Q:
    if value in ("open", "opened"):
        return Q(state="firing")
    if value in ("acked", "acknowledged"):
        return Q(state="firing") & ACKNOWLEDGED
    if value in ("closed", "resolved"):
        return Q(state="resolved")
    return NOTHING


def _priority(value: str) -> Q:
    if value not in PRIORITIES:
        return NOTHING
    also = [severity for severity, priority in BY_SEVERITY.items() if priority == value]
    found = Q(severity__in=[value.lower(), *also])
    if value == "P3":
        known = [*(one.lower() for one in PRIORITIES), *BY_SEVERITY]
        found |= _negated(Q(severity__in=known))
    return found


def _text(field: str, value: str) -> Q:
    if field == "alias":
        return Q(dedup_key=value) if "*" not in value else _like("dedup_key", value)
    if field == "tinyid":
        return Q(pk=int(value)) if value.isascii() and value.isdecimal() else NOTHING
    if field == "tag":
        return _listed("details__tags", value)
    if field in ("team", "responder"):
        return _like("ticket__team__name", value) | _like("ticket__team__slug", value)
    if field == "owner":
        return _owner(value)
    if field == "details.key":
        return Q(details__details__has_key=value)
    if field == "details.value":
        return _listed("details__details", value)
    if field.startswith("details."):
        name = field.removeprefix("details.")
        return Q(details__details__contains={name: value})
    is_within = field in ("message", "description") and "*" not in value
    return _like(COLUMNS[field], f"*{value}*" if is_within else value)


def _owner(value: str) -> Q:
    found = Q()
    for who in ("assignee", "acknowledged_by"):
        for name in ("username", "email"):
            found |= _like(f"ticket__{who}__{name}", value)
    return found | _like("marks__owner", value)


def _listed(path: str, value: str) -> Q:
    """A list or object of texts has this one, whole but where a `*` stands."""
    core = value.strip("*")
    if not core:
        return Q(**{f"{path}__isnull": False}) & ~Q(**{path: []}) & ~Q(**{path: {}})
    begin, end = "" if value.startswith("*") else '"', "" if value.endswith("*") else '"'
    inner = json.dumps(core, ensure_ascii=False)[1:-1]
    return Q(**{f"{path}__icontains": f"{begin}{inner}{end}"})


def _like(path: str, value: str) -> Q:
    core = value.strip("*")
    if not core:
        return ~Q(**{path: ""}) & Q(**{f"{path}__isnull": False}) if value else Q(**{path: ""})
    starts, ends = value.startswith("*"), value.endswith("*")
    lookup = "icontains" if starts and ends else "istartswith" if ends else "iendswith"
    return Q(**{f"{path}__{lookup if starts or ends else 'iexact'}": core})
