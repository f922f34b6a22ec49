"""Makes or changes one row of configuration: checked whole, written once, told in the audit."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models, transaction

from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import ApiToken, CalendarLink, Person
from roles.people import require
from roles.refusals import Conflict, Invalid

Row = TypeVar("Row", bound=models.Model)
Ended = TypeVar("Ended", ApiToken, CalendarLink)


@transaction.atomic
def put_row(
    model: type[Row],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Row:
    """The row with that key, made or changed to hold the values; the same row when nothing would.

    The caller has asked whether the actor may. Raises Invalid by field, and Conflict when
    somebody else has written what clashes with it.
    """
    row = model._default_manager.select_for_update().filter(**key).first()
    is_new = row is None
    if row is None:
        row = model(**key)
    before = {} if is_new else audit.field_values(row)
    for name, value in values.items():
        setattr(row, name, value)
    changes = audit.differences(before, audit.field_values(row))
    if not changes:
        return row
    _check(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as trouble:
        raise Conflict("clashes", f"The database refused: {str(trouble).splitlines()[0]}") from None
    told = {name: new for name, (_, new) in changes.items() if new not in (None, "", [])}
    action = f"{model._meta.model_name}.{'added' if is_new else 'changed'}"
    audit.record(
        actor=actor,
        action=action,
        subject=row,
        changes=told if is_new else changes,
        reason=reason,
        clock=clock,
    )
    return row


def set_row(
    model: type[Row],
    *,
    right: str,
    slug: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
    **values: Any,
) -> Row:
    """The row of that slug, made or changed to hold the values, by somebody with the right.

    Raises Forbidden, and otherwise as `put_row`.
    """
    require(actor, right)
    return put_row(model, {"slug": slug}, values, reason=reason, actor=actor, clock=clock)


def end_row(
    row: Ended,
    *,
    word: str,
    reason: str = "",
    actor: Person | None = None,
    clock: TimeSource = database_now,
) -> Ended:
    """The link or token, useless from now on; by the person whose it is, or an administrator.

    `word` is what the audit and a refusal call it. Raises Forbidden, and Conflict when it was so
    already. Must run in a transaction.
    """
    if actor is None or actor.pk != row.person_id:
        require(actor, "admin")
    locked = type(row)._default_manager.select_for_update().get(pk=row.pk)
    if locked.revoked_at is not None:
        raise Conflict(f"{word}_revoked", f"This {word} is revoked already.")
    locked.revoked_at = row.revoked_at = clock()
    locked.save(update_fields=["revoked_at"])
    audit.record(actor=actor, action=f"{word}.revoked", subject=locked, reason=reason, clock=clock)
    return row


def _check(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as trouble:
        fields = {
            "" if name == NON_FIELD_ERRORS else name: " ".join(sentences)
            for name, sentences in trouble.message_dict.items()
        }
        raise Invalid("bad_row", f"{row} cannot be written like this.", fields) from None
