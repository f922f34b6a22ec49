"""Describes serializers in OpenAPI as they answer, where the framework would promise more."""

from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

RESPONSE: Final = "response"


class Describing(AutoSchema):
    """Knows which choices may be empty in the table, and which members some readers are not told.

    A client is made from the document, and refuses an answer that it does not allow.
    """

    def _map_serializer_field(
        self, field: Any, direction: str, bypass_extensions: bool = False
    ) -> Any:
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        if "enum" in (found or {}) and "" not in found["enum"] and _may_be_empty(field):
            found["enum"] = [*found["enum"], ""]
        return found

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)
        is_told_to_some = field.field_name in getattr(field.parent, "told_to_some", ())
        # What is read along a way that may end early is null there, if it has no other word for it.
        if is_told_to_some or (field.read_only and field.default is None):
            meta["nullable"] = True
        return meta


def _may_be_empty(field: Any) -> bool:
    """Whether this is read from a column with choices that may hold none of them."""
    parent = field.parent
    if not isinstance(field, serializers.ChoiceField) or not field.read_only:
        return False
    at: Any = getattr(getattr(parent, "Meta", None), "model", None)
    try:
        for step in str(field.source or field.field_name).split("."):
            if not (isinstance(at, type) and issubclass(at, Model)):
                return False
            column = at._meta.get_field(step)
            at = column.related_model or column
    except FieldDoesNotExist:
        return False
    return bool(getattr(at, "blank", False))
