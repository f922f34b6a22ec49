"""What all REST views share: strict parameters and bodies, and one form of answer."""

from collections.abc import Iterable, Mapping
from copy import copy, deepcopy
from functools import lru_cache
from hashlib import blake2b
from typing import Any, ClassVar, Final

import orjson
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import BadParameter, PreconditionFailed
from api.paging import ORDERING, PARAMETERS, Order
from roles.access import allows
from roles.models import Person
from roles.people import roles_of

NOBODY_ELSE: frozenset[str] = frozenset()
FIELDS: Final = "fields"
NOT_MODIFIED: Final = 304


def sees_internal(person: Person) -> bool:
    """Whether the person reads what the service writes for itself, on any ticket they see."""
    return allows(roles_of(person), "see_internal", NOBODY_ELSE)


class DeclaredFilters(DjangoFilterBackend):
    """The filters that a view declares; a wrong value is the parameter's fault, by name."""

    def get_filterset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The filters that are asked for, or None; each costs a copy, and its field of a form."""
        declared = self.get_filterset_class(view, queryset)
        known = declared.base_filters if declared else {}
        asked = frozenset(name for name in request.query_params if name in known)
        if not asked:
            return None
        return only(declared, asked)(**self.get_filterset_kwargs(request, queryset, view))

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The rows that pass. Raises BadParameter."""
        try:
            return super().filter_queryset(request, queryset, view)
        except ValidationError as wrong:
            detail: Any = wrong.detail
            raise BadParameter(
                {name: " ".join(map(str, texts)) for name, texts in detail.items()}
            ) from None


@lru_cache(maxsize=256)
def only(declared: type[FilterSet], names: frozenset[str]) -> type[FilterSet]:
    """The declared filters without those of other names."""
    found: Any = type(declared)(declared.__name__, (declared,), {"__doc__": declared.__doc__})
    found.base_filters = {
        name: each for name, each in declared.base_filters.items() if name in names
    }
    return found


def own(member: Any) -> Any:
    """A member like this one that may be bound to another body; nothing else of it changes."""
    if isinstance(member, serializers.BaseSerializer):
        return deepcopy(member)
    made = copy(member)
    if hasattr(made, "child"):
        made.child = own(made.child)
        made.child.parent = made
    return made


class StrictSerializer(serializers.Serializer):
    """A body of which every member is known; nothing else can be written."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """The members, this body's own; the framework would make each anew from its arguments."""
        return {name: own(member) for name, member in self._declared_fields.items()}

    def to_internal_value(self, data: Any) -> Any:
        """The values by name. Raises ValidationError, which names unknown members too."""
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                raise ValidationError(
                    {name: ["This member is not known here."] for name in unknown}
                )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A text; numbers are not taken for one."""

    def to_internal_value(self, data: Any) -> str:
        """The text without outer blanks. Raises ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Nothing(StrictSerializer):
    """A body without members."""


class Resource(GenericAPIView):
    """A view whose query parameters are all declared, and whose answers carry the limits."""

    filter_backends = [DeclaredFilters]
    filterset_class: ClassVar[type[FilterSet] | None] = None
    orders: ClassVar[dict[str, Order]] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in whom the rules let in, and only with known parameters."""
        super().initial(request, *args, **kwargs)
        if any("\x00" in str(part) for part in kwargs.values()):
            raise Http404  # PostgreSQL has no such text
        known = set(self.known_parameters(request))
        wrong = {}
        for name in request.query_params:
            if name not in known:
                wrong[name] = "This parameter is not known here."
            elif len(request.query_params.getlist(name)) > 1:
                wrong[name] = "Give it once; several values are separated by commas."
        if wrong:
            raise BadParameter(wrong)

    def known_parameters(self, request: Request) -> Iterable[str]:
        """The names of query parameters that this request may have."""
        if request.method not in SAFE_METHODS:
            return ()
        if not self.orders:
            return (FIELDS,)
        filters = self.filterset_class.base_filters if self.filterset_class else ()
        return (FIELDS, *PARAMETERS, ORDERING, *filters)

    def open_orders(self) -> dict[str, Order]:
        """The orders that this caller may ask for: a cursor tells the value by which it orders."""
        return self.orders

    def finalize_response(
        self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Any:
        """The answer with its limits; nobody else may keep it."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate", {}).items():
            answer[name] = value
        answer["Cache-Control"] = "no-store"
        if request.method in SAFE_METHODS and _is_known(request, answer):
            answer.status_code, answer.data = NOT_MODIFIED, None
        return answer

    def page(self, queryset: Any, **context: Any) -> Response:
        """One page of the rows, as the view's serializer shows them."""
        rows = self.paginate_queryset(self.filter_queryset(queryset)) or []
        return self.get_paginated_response(self.show(rows, many=True, **context))

    def fetch(self, rows: QuerySet[Any]) -> list[Any]:
        """The rows of one page, read."""
        return list(rows)

    def show(self, found: Any, *, many: bool = False, **context: Any) -> Any:
        """What the view's serializer makes of a row or of many."""
        return self.show_as(self.get_serializer_class(), found, many=many, **context)

    def show_as(self, kind: Any, found: Any, *, many: bool = False, **context: Any) -> Any:
        """What another serializer makes of it; only the `fields` asked for, if some were."""
        shared = {**self.get_serializer_context(), **context}
        shown = kind(found, many=many, context=shared)
        wanted = self.request.query_params.get(FIELDS, "")
        if wanted and self.request.method in SAFE_METHODS:
            narrow(shown.child if many else shown, wanted.split(","))
        return shown.data

    def read(
        self, serializer_class: type[StrictSerializer], *, partial: bool = False
    ) -> dict[str, Any]:
        """The values in the body. Raises ValidationError with every bad member named."""
        return self.read_as(serializer_class, self.request.data, partial=partial)

    def read_as(
        self, serializer_class: type[StrictSerializer], data: Any, *, partial: bool = False
    ) -> dict[str, Any]:
        """The values in some data. Raises ValidationError with every bad member named."""
        context = self.get_serializer_context()
        body = serializer_class(data=data, context=context, partial=partial)
        body.is_valid(raise_exception=True)
        found: dict[str, Any] = body.validated_data
        return found


def narrow(shown: serializers.BaseSerializer, wanted: Iterable[str]) -> None:
    """Let the serializer show these members only. Raises BadParameter for one it has not."""
    members: Any = getattr(shown, "fields", {})
    names = {name.strip() for name in wanted}
    if unknown := sorted(names - set(members)):
        raise BadParameter({FIELDS: f"Not a member here: {', '.join(unknown)[:200]}."})
    for name in set(members) - names:
        members.pop(name)


def digest_of(shown: Any) -> str:
    """An ETag for what is shown: the same members in any order have the same."""
    told = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS, default=str)
    return f'"{blake2b(told, digest_size=12).hexdigest()}"'


def tags_in(header: str) -> list[str]:
    """The ETags that a header names."""
    return [tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip()]


def require_tag(request: Request, present: str) -> None:
    """Compare what is there with If-Match, if it was given. Raises PreconditionFailed."""
    wanted = tags_in(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and present not in wanted:
        raise PreconditionFailed


def _is_known(request: Request, answer: Any) -> bool:
    """Whether the caller has the answer already, by its ETag (RFC 9110)."""
    known = tags_in(request.headers.get("If-None-Match", ""))
    return answer.status_code == 200 and answer.get("ETag", "") in known
