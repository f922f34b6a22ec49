"""Writes the administrative history: who changed people or configuration, when and why."""

from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from roles.instants import TimeSource, database_now
from roles.models import AuditEntry, Person

SECRET_FIELDS = frozenset({"password", "digest", "nonce"})


def record(
    *,
    actor: Person | None,
    action: str,
    subject: models.Model | None,
    changes: Mapping[str, Any] | None = None,
    reason: str = "",
    clock: TimeSource = database_now,
) -> AuditEntry:
    """Append one act of `actor` (None: the system) on `subject`, and return the stored entry.

    A `subject` of None is the site as a whole.
    `changes` maps a field to what it became, or to [before, after]; secrets are never kept.
    Call it in the transaction of the change itself.
    """
    return AuditEntry.objects.create(
        at=clock(),
        actor_id=actor.pk if actor else None,
        action=action,
        subject_type=subject._meta.label_lower if subject else "site",
        subject_id=str(subject.pk) if subject else "",
        subject=str(subject)[:300] if subject else "the site",
        changes=_plain(changes or {}),
        reason=reason,
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields that differ, each as [before, after]; of a secret only that it changed."""
    return {
        name: ["***", "***"] if name in SECRET_FIELDS else [before.get(name), after.get(name)]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def field_values(row: models.Model) -> dict[str, Any]:
    """A row's own columns by name, as `differences` compares them."""
    return {field.name: field.value_from_object(row) for field in row._meta.concrete_fields}


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """JSON for the store: times, ranges and rows as text, secrets blanked."""
    return {
        name: "***" if name in SECRET_FIELDS and not isinstance(value, list) else _json(value)
        for name, value in changes.items()
    }


def _json(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _json(part) for key, part in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    try:
        return DjangoJSONEncoder().default(value)
    except TypeError:
        return str(value)
