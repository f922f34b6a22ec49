"""Pages by cursor: they stay true while rows come and go, and cost the same at any depth."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.db.models import F, Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import BadParameter

LIMIT = 50
LIMIT_MAX = 100
PARAMETERS = ("limit", "cursor")
ORDERING = "ordering"
PK_MAX = 2**63 - 1
SMALL_MAX = 2**15 - 1


@dataclass(frozen=True)
class Order:
    """One way to order rows: a column, its direction, and the primary key within equals.

    Rows without a value come last either way. A column that always has one should say so: an
    index serves no order that sets such rows apart.
    """

    field: str
    is_descending: bool = False
    holds: type = datetime
    is_always: bool = False

    def terms(self, backward: bool) -> list[Any]:
        """What order_by() wants, for the way on or the way back."""
        downward = self.is_descending != backward
        if self.field == "pk":
            return [F("pk").desc() if downward else F("pk").asc()]
        column = F(self.field)
        nulls = {"nulls_first": True} if backward else {"nulls_last": True}
        if self.is_always:
            nulls = {}
        first = column.desc(**nulls) if downward else column.asc(**nulls)
        return [first, F("pk").desc() if downward else F("pk").asc()]

    def beyond(self, value: Any, pk: int, backward: bool) -> Q:
        """Which rows stand after (or before) the row of that value and key."""
        side = "lt" if self.is_descending != backward else "gt"
        equals = Q(**{f"pk__{side}": pk})
        if self.field == "pk":
            return equals
        if self.is_always:
            # Said twice: an index is entered by the first, and not read up to there.
            return Q(**{f"{self.field}__{side}e": value}) & (
                Q(**{f"{self.field}__{side}": value}) | equals
            )
        if value is None:
            there = Q(**{f"{self.field}__isnull": True}) & equals
            return there | Q(**{f"{self.field}__isnull": False}) if backward else there
        found = Q(**{f"{self.field}__{side}": value}) | Q(**{self.field: value}) & equals
        return found if backward else found | Q(**{f"{self.field}__isnull": True})

    def value_of(self, row: Any) -> Any:
        """The row's value in this order, as a cursor holds it."""
        return None if self.field == "pk" else getattr(row, self.field)


@dataclass(frozen=True)
class Cursor:
    """A place between two rows, and which way to go from there."""

    order: str
    value: Any
    pk: int
    backward: bool

    def text(self) -> str:
        """The cursor as it stands in a URL."""
        packed = orjson.dumps([self.order, self.value, self.pk, self.backward])
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str, order_name: str, order: Order) -> Cursor:
    """The cursor in a URL. Raises BadParameter when it is broken or of another order."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        name, value, pk, backward = orjson.loads(raw)
        if value is not None or order.is_always:
            value = _held(value, order.holds)
    except (ValueError, TypeError, binascii.Error):
        raise BadParameter({"cursor": "This is no cursor of ours."}) from None
    if name != order_name or type(pk) is not int or abs(pk) > PK_MAX:
        raise BadParameter({"cursor": "This cursor belongs to another list."})
    return Cursor(name, value, pk, bool(backward))


def _held(value: Any, holds: type) -> Any:
    """A cursor's value in the type of its column. Raises ValueError or TypeError."""
    if holds is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a time without its zone")
        return moment
    if type(value) is not holds or (holds is int and abs(value) > SMALL_MAX):
        raise ValueError("not of this column")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("NUL")
    return value


class CursorPages(BasePagination):
    """Pages of a view's rows; the view names its `orders`, the first of which is the default."""

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        """The rows of the page asked for. Raises BadParameter."""
        self.request = request
        orders: dict[str, Order] = view.open_orders()
        name = str(request.query_params.get(ORDERING, next(iter(orders))))
        if name not in orders:
            raise BadParameter({ORDERING: "One of: " + ", ".join(orders)})
        self.name, self.order = name, orders[name]
        self.limit = _limit(request.query_params.get("limit", ""))
        given = request.query_params.get("cursor", "")
        cursor = read_cursor(given, name, self.order) if given else None
        backward = cursor is not None and cursor.backward
        if cursor is not None:
            queryset = queryset.filter(self.order.beyond(cursor.value, cursor.pk, backward))
        found = view.fetch(queryset.order_by(*self.order.terms(backward))[: self.limit + 1])
        more = len(found) > self.limit
        self.rows = found[: self.limit]
        if backward:
            self.rows.reverse()
        self.has_next = more if not backward else True
        self.has_previous = more if backward else cursor is not None
        return self.rows

    def get_paginated_response(self, data: Any) -> Response:
        """The page with its neighbours, in the body and in a Link header (RFC 8288)."""
        following = self._url(self.rows[-1], False) if self.has_next and self.rows else None
        before = self._url(self.rows[0], True) if self.has_previous and self.rows else None
        links = {"first": self._address(None), "prev": before, "next": following}
        header = ", ".join(f'<{url}>; rel="{rel}"' for rel, url in links.items() if url)
        body = {"results": data, "next": following, "previous": before}
        return Response(body, headers={"Link": header})

    def _url(self, row: Any, backward: bool) -> str:
        return self._address(Cursor(self.name, self.order.value_of(row), row.pk, backward).text())

    def _address(self, cursor: str | None) -> str:
        """This list at another cursor, under the public address."""
        params = {name: value for name, value in self.request.query_params.items() if value}
        params.pop("cursor", None)
        if cursor is not None:
            params["cursor"] = cursor
        query = f"?{urlencode(params)}" if params else ""
        return f"{settings.PUBLIC_URL}{self.request.path}{query}"

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a page looks like, for OpenAPI."""
        neighbour = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": neighbour, "previous": neighbour},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """The parameters of paging, for OpenAPI."""
        orders = list(view.orders)
        return [
            _parameter(
                "limit", {"type": "integer", "minimum": 1, "default": LIMIT}, "Rows a page."
            ),
            _parameter("cursor", {"type": "string"}, "From `next` or `previous`, as it is."),
            _parameter(
                ORDERING, {"type": "string", "enum": orders, "default": orders[0]}, "Order."
            ),
        ]


def _limit(text: str) -> int:
    if not text:
        return LIMIT
    if not (text.isascii() and text.isdigit()) or len(text) > 6 or int(text) < 1:
        raise BadParameter({"limit": f"A number from 1 to {LIMIT_MAX}."})
    return min(int(text), LIMIT_MAX)


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description}


class Whole(CursorPages):
    """A short list that comes whole, in the form of a page."""

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """No parameters: there is one page."""
        return []
