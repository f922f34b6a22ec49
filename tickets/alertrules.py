"""Writes what is done with alerts: rules, and stretches of maintenance in which they rest."""

from typing import Any

from django.db import transaction
from django.db.models import Model

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person
from roles.people import require
from roles.rows import put_row
from tickets.models import Alert, AlertRule, Maintenance


def set_rule(
    *,
    rule: AlertRule | None = None,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> AlertRule:
    """The rule, or a new one, with these values. Raises Forbidden, and Invalid by field."""
    require(actor, "admin")
    key = {"pk": rule.pk if rule else None}
    return put_row(AlertRule, key, values, reason=reason, actor=actor, clock=clock)


@transaction.atomic
def drop_rule(
    *, rule: AlertRule, actor: Person | None = None, clock: TimeSource = database_now
) -> None:
    """Forget the rule; what it decided on stays as it is. Raises Forbidden."""
    require(actor, "admin")
    _drop(rule, actor, clock)


@transaction.atomic
def set_maintenance(
    *,
    window: Maintenance | None = None,
    reason: str | None = None,
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Maintenance:
    """The window, or a new one, with these values; `reason` is kept with it.

    Alerts that rest because of it are looked at again at once where it has changed. Raises
    Forbidden, and Invalid by field.
    """
    require(actor, "admin")
    if reason is not None:
        values["reason"] = reason
    if window is not None:
        look_again(window, clock)
    key = {"pk": window.pk if window else None}
    return put_row(Maintenance, key, values, actor=actor, clock=clock)


@transaction.atomic
def drop_maintenance(
    *, window: Maintenance, actor: Person | None = None, clock: TimeSource = database_now
) -> None:
    """Forget the window; alerts that rest and still fire get their tickets. Raises Forbidden."""
    require(actor, "admin")
    look_again(window, clock)
    _drop(window, actor, clock)


def look_again(window: Maintenance, clock: TimeSource = database_now) -> None:
    """Have the alerts that rest until this window ends looked at anew with the next pass.

    To be called with the window as it is stored, in the transaction that changes it: they would
    rest until an end that holds no more.
    """
    kept = Maintenance.objects.filter(pk=window.pk).values_list("ends_at", flat=True)
    resting = Alert.objects.filter(state=Alert.State.FIRING, ticket=None, held_until__in=list(kept))
    resting.update(held_until=clock())


def _drop(row: Model, actor: Person | None, clock: TimeSource) -> None:
    action, held = f"{row._meta.model_name}.deleted", audit.field_values(row)
    audit.record(actor=actor, action=action, subject=row, changes=held, clock=clock)
    row.delete()
