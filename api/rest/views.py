"""The views that are made of declared subjects: lists, single rows, deeds and looks."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import BadParameter
from api.idempotency import once
from api.paging import Whole
from api.rest.headers import IDEMPOTENCY, IF_MATCH
from api.rest.resource import (
    FIELDS,
    Nothing,
    Resource,
    StrictSerializer,
    digest_of,
    require_tag,
)
from api.rest.subject import PK, Deed, Look, Subject, require_action

GONE: Final = OpenApiResponse(description="Done; there is nothing to show.")
CREATED: Final = 201
ACCEPTED: Final = 202


class OfSubject(Resource):
    """What the views of a subject share: who may come in, and which row is meant."""

    subject: ClassVar[Subject]

    def row_of(self, name: Any, *, locked: bool = False) -> Any:
        """The row that the address names. Raises Forbidden and Http404."""
        require_action(self.request.user, self.subject.reads)
        rows = self.subject.rows(self.request.user)
        if locked:
            rows = rows.select_for_update(of=("self",), no_key=True)
        found = rows.filter(**{self.subject.by: name}).first()
        if found is None:
            raise Http404
        return found

    def address_of(self, row: Any) -> str:
        """Where one row stands, under the public address."""
        name = row.pk if self.subject.by == PK else _named(row, self.subject.by)
        return f"{settings.PUBLIC_URL}/api/v1/{self.subject.slug}/{name}/"

    def show_whole(self, row: Any, **context: Any) -> Any:
        """One row with everything that is shown of it, whatever `fields` say."""
        shared = {**self.get_serializer_context(), **context}
        return self.subject.full(row, context=shared).data

    def answer_row(self, row: Any, *, status: int = 200) -> Response:
        """One row with its ETag; nothing when it is gone, or out of the caller's sight."""
        found = self.subject.rows(self.request.user).filter(pk=row.pk).first()
        if found is None:
            return Response(status=204)
        shown = self.show_whole(found)
        headers = {"ETag": digest_of(shown)}
        if status in (CREATED, ACCEPTED):
            headers["Location"] = self.address_of(found)
        return Response(shown, status=status, headers=headers)

    def perform(self, deed: Deed, row: Any = None) -> Response:
        """Let the deed be done, in one transaction, and answer with what it came to."""
        given = self.read(deed.body, partial=deed is self.subject.change)
        with transaction.atomic():
            if row is not None:
                self._require_match(row)
                given[self.subject.is_called or "row"] = row
            came = deed.perform(actor=self.request.user, **given)
            if deed.answer is not None:
                return Response(self.show_plain(deed.answer, came), status=deed.status)
            shown = row if row is not None else came
            return self.answer_row(shown, status=deed.status)

    def show_plain(self, kind: Any, found: Any) -> Any:
        """What a serializer makes of what a deed returned."""
        return kind(found, context=self.get_serializer_context()).data

    def _require_match(self, row: Any) -> None:
        if self.request.headers.get("If-Match"):
            name = row.pk if self.subject.by == PK else _named(row, self.subject.by)
            present = self.row_of(name, locked=True)
            require_tag(self.request, digest_of(self.show_whole(present)))


def _named(row: Any, path: str) -> Any:
    for step in path.split("__"):
        row = getattr(row, step)
    return row


class Many(OfSubject):
    """All rows of a subject, and making one."""

    def list_rows(self, request: Request) -> Response:
        """One page of what the reader sees."""
        require_action(request.user, self.subject.reads)
        return self.page(self.subject.rows(request.user))

    def make_row(self, request: Request) -> HttpResponseBase:
        """A new row."""
        deed = self.subject.make
        assert deed is not None
        require_action(request.user, deed.needs)
        return once(request, lambda: self.perform(deed))


class One(OfSubject):
    """One row of a subject: read, changed, removed."""

    def show_row(self, request: Request, name: Any) -> Response:
        """One row."""
        row = self.row_of(name)
        tag = digest_of(self.show_whole(row))
        return Response(self.show_as(self.subject.full, row), headers={"ETag": tag})

    def change_row(self, request: Request, name: Any, deed: Deed) -> Response:
        """The row after a change."""
        require_action(request.user, deed.needs)
        return self.perform(deed, self.row_of(name))


class Doing(OfSubject):
    """One deed on one row."""

    deed: ClassVar[Deed]

    def do(self, request: Request, name: Any) -> HttpResponseBase:
        """The row after the deed, or what the deed came to."""

        def act() -> Response:
            require_action(request.user, self.deed.needs)
            return self.perform(self.deed, self.row_of(name))

        return once(request, act)


class Looking(OfSubject):
    """One more thing to be read of a row."""

    look: ClassVar[Look]

    def known_parameters(self, request: Request) -> tuple[str, ...]:
        """What the look declares."""
        return (FIELDS, *self.look.params().fields)

    def tell(self, request: Request, name: Any) -> Response:
        """What the look finds."""
        row = self.row_of(name)
        require_action(request.user, self.look.needs)
        found = self.look.read(row, request.user, **read_params(self, self.look.params))
        return answer_look(self, self.look, found)


def read_params(view: Resource, kind: type[StrictSerializer]) -> dict[str, Any]:
    """The query's declared parameters. Raises BadParameter with every wrong one named."""
    given = {name: text for name, text in view.request.query_params.items() if name != FIELDS}
    asked = kind(data=given, context=view.get_serializer_context())
    if not asked.is_valid():
        wrong: Any = asked.errors
        raise BadParameter({name: " ".join(map(str, texts)) for name, texts in wrong.items()})
    found: dict[str, Any] = asked.validated_data
    return found


def answer_look(view: Resource, look: Look, found: Any) -> Response:
    """What a look found: a whole list, or one thing."""
    shown = view.show_as(look.answer, found, many=look.many)
    return Response({"results": shown, "next": None, "previous": None} if look.many else shown)


def query_of(params: type[StrictSerializer]) -> list[Any]:
    """The parameters of a look, for OpenAPI."""
    return [params] if params is not Nothing else []


# ---- Views made of it ----------------------------------------------------------------------------


def views_of(subject: Subject) -> list[tuple[str, str, type[Resource]]]:
    """Address, name and view class of everything that the subject offers."""
    found = [(f"{subject.slug}/", subject.slug, _many(subject))]
    if subject.by:
        found.append((subject.route, f"{subject.slug}-one", _one(subject)))
    for deed in subject.deeds:
        name = f"{subject.slug}-{deed.slug}"
        found.append((f"{subject.route}{deed.slug}/", name, _doing(subject, deed)))
    for look in subject.looks:
        name = f"{subject.slug}-{look.slug}"
        found.append((f"{subject.route}{look.slug}/", name, _looking(subject, look)))
    return found


def _members(subject: Subject, **more: Any) -> dict[str, Any]:
    return {
        "subject": subject,
        "queryset": _model_of(subject)._default_manager.none(),
        "read_scope": subject.read_scope,
        "write_scope": subject.write_scope,
        "__doc__": subject.summary,
        **more,
    }


def _model_of(subject: Subject) -> type[Model]:
    model: type[Model] = subject.view.Meta.model
    return model


def _described(
    subject: Subject, verb: str, deed: Deed, *, shown: Any, is_post: bool = True
) -> Callable[..., Any]:
    responses: dict[int, Any] = {deed.status: deed.answer or shown}
    if deed.answer is None:
        responses[204] = GONE
    body = deed.body if deed.body is not Nothing else None
    parameters = [IF_MATCH] if verb != "create" else []
    describe: Callable[..., Any] = extend_schema(
        operation_id=f"{subject.word}_{verb}",
        description=deed.summary,
        request=body,
        parameters=[IDEMPOTENCY, *parameters] if is_post else parameters,
        responses=responses,
    )
    return describe


def _many(subject: Subject) -> type[Resource]:
    def get(self: Many, request: Request) -> Response:
        return self.list_rows(request)

    def post(self: Many, request: Request) -> HttpResponseBase:
        return self.make_row(request)

    describe = extend_schema(
        operation_id=f"{subject.word}_list",
        description=subject.summary,
        responses=subject.view(many=True),
    )
    members = _members(
        subject,
        serializer_class=subject.view,
        filterset_class=subject.filters,
        orders=subject.orders,
        get=describe(get),
    )
    if subject.make is not None:
        how = _described(subject, "create", subject.make, shown=subject.full)
        members["post"] = how(post)
    return type(f"{subject.word}_many", (Many,), members)


def _one(subject: Subject) -> type[Resource]:
    key = _key(subject)

    def get(self: One, request: Request, **at: Any) -> Response:
        return self.show_row(request, at[key])

    def patch(self: One, request: Request, **at: Any) -> Response:
        assert subject.change is not None
        return self.change_row(request, at[key], subject.change)

    def delete(self: One, request: Request, **at: Any) -> Response:
        assert subject.remove is not None
        return self.change_row(request, at[key], subject.remove)

    describe = extend_schema(
        operation_id=f"{subject.word}_retrieve",
        description=f"One of them: {subject.summary[0].lower()}{subject.summary[1:]}",
        responses=subject.full,
    )
    members = _members(subject, serializer_class=subject.full, get=describe(get))
    if subject.change is not None:
        how = _described(subject, "update", subject.change, shown=subject.full, is_post=False)
        members["patch"] = how(patch)
    if subject.remove is not None:
        how = extend_schema(
            operation_id=f"{subject.word}_delete",
            description=subject.remove.summary,
            parameters=[IF_MATCH],
            responses={204: GONE},
        )
        members["delete"] = how(delete)
    return type(f"{subject.word}_one", (One,), members)


def _doing(subject: Subject, deed: Deed) -> type[Resource]:
    def post(self: Doing, request: Request, **at: Any) -> HttpResponseBase:
        return self.do(request, at[_key(subject)])

    verb = deed.slug.replace("-", "_")
    how = _described(subject, verb, deed, shown=subject.full)
    members = _members(subject, serializer_class=subject.full, deed=deed, post=how(post))
    return type(f"{subject.word}_{verb}", (Doing,), members)


def _looking(subject: Subject, look: Look) -> type[Resource]:
    def get(self: Looking, request: Request, **at: Any) -> Response:
        return self.tell(request, at[_key(subject)])

    verb = look.slug.replace("-", "_")
    describe = extend_schema(
        operation_id=f"{subject.word}_{verb}",
        description=look.summary,
        parameters=query_of(look.params),
        responses=look.answer(many=True) if look.many else look.answer,
    )
    members = _members(
        subject,
        serializer_class=look.answer,
        pagination_class=Whole,
        look=look,
        get=describe(get),
    )
    return type(f"{subject.word}_{verb}", (Looking,), members)


def _key(subject: Subject) -> str:
    return "number" if subject.by == PK else "name"
