"""What all REST views share: strict parameters and bodies, and one form of answer."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.http import Http404, HttpResponseBase
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from api.paging import ORDERING, PARAMETERS, Order
from api.problems import BadParameter
from roles.access import allows
from roles.models import Person
from roles.people import roles_of

NOBODY_ELSE: frozenset[str] = frozenset()


def sees_internal(person: Person) -> bool:
    """Whether the person reads what the service writes for itself, on any ticket they see."""
    return allows(roles_of(person), "see_internal", NOBODY_ELSE)


class DeclaredFilters(DjangoFilterBackend):
    """The filters that a view declares; a wrong value is the parameter's fault, by name."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The rows that pass. Raises BadParameter."""
        try:
            return super().filter_queryset(request, queryset, view)
        except ValidationError as wrong:
            detail: Any = wrong.detail
            raise BadParameter(
                {name: " ".join(map(str, texts)) for name, texts in detail.items()}
            ) from None


class StrictSerializer(serializers.Serializer):
    """A body of which every member is known; nothing else can be written."""

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
        if any("\x00" in part for part in kwargs.values()):
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
        if request.method not in SAFE_METHODS or not self.orders:
            return ()
        filters = self.filterset_class.base_filters if self.filterset_class else ()
        return (*PARAMETERS, ORDERING, *filters)

    def finalize_response(
        self, request: Any, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> Any:
        """The answer with its limits; nobody else may keep it."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        for name, value in getattr(request, "rate", {}).items():
            answer[name] = value
        answer["Cache-Control"] = "no-store"
        return answer

    def page(self, queryset: Any, **context: Any) -> Response:
        """One page of the rows, as the view's serializer shows them."""
        rows = self.paginate_queryset(self.filter_queryset(queryset)) or []
        return self.get_paginated_response(self.show(rows, many=True, **context))

    def show(self, found: Any, *, many: bool = False, **context: Any) -> Any:
        """What the view's serializer makes of a row or of many."""
        shared = {**self.get_serializer_context(), **context}
        return self.get_serializer_class()(found, many=many, context=shared).data

    def read(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        """The values in the body. Raises ValidationError with every bad member named."""
        body = serializer_class(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        found: dict[str, Any] = body.validated_data
        return found
