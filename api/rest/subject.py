"""One way to put a kind of thing on the network: what it is, who reads it, what is done to it.

A subject is declared in one place: each act on it is one line that names the domain function, its
body and its action in the access table. The rules themselves stand in the domain.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from api.paging import Order
from api.rest.resource import Nothing, StrictSerializer
from roles.models import Person
from roles.models.tokens import Scope
from roles.people import is_allowed, require, roles_of
from roles.refusals import Conflict, Forbidden

PK: Final = "pk"
INSIDE: Final = "inside"
"""In the place of an action: for everybody who has a part in the service, and does not only ask."""


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One writing function as an address.

    `needs` is an action of the access table that the caller's roles must allow; "" where only the
    domain function can tell. It is given the row under the name that its subject `is`, `actor`,
    and what stands in the body. `answer` shows what it returns, in place of the row.
    """

    summary: str
    perform: Callable[..., Any]
    slug: str = ""
    body: type[StrictSerializer] = Nothing
    needs: str = ""
    answer: Any = None
    status: int = 200


@dataclass(frozen=True, kw_only=True)
class Look:
    """One more thing that can be read of a row: by a function of row, reader and parameters."""

    slug: str
    summary: str
    read: Callable[..., Any]
    answer: Any
    many: bool = True
    needs: str = ""
    params: type[StrictSerializer] = Nothing


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A kind of thing: where it stands, which rows a reader sees, and all that can be done."""

    slug: str
    view: Any
    rows: Callable[[Person], Any]
    summary: str
    orders: dict[str, Order]
    one: Any = None
    by: str = "slug"
    is_called: str = ""
    filters: Any = None
    reads: str = ""
    read_scope: str = Scope.CATALOG_READ
    write_scope: str = Scope.ADMIN_WRITE
    make: Deed | None = None
    change: Deed | None = None
    remove: Deed | None = None
    deeds: tuple[Deed, ...] = ()
    looks: tuple[Look, ...] = ()

    @property
    def word(self) -> str:
        """The subject as a Python word."""
        return self.slug.replace("-", "_")

    @property
    def route(self) -> str:
        """The address of one row, as Django writes it."""
        return f"{self.slug}/<int:number>/" if self.by == PK else f"{self.slug}/<str:name>/"

    @property
    def full(self) -> Any:
        """The serializer of one row."""
        return self.one or self.view


def set_by(
    function: Callable[..., Any],
    subject: Subject,
    *,
    new: type[StrictSerializer],
    body: type[StrictSerializer],
    needs: str,
    made: str,
    changed: str,
    always: tuple[str, ...] = (),
) -> Subject:
    """The subject with rows that are made and changed under their slug by this one function.

    `made` and `changed` say in a sentence what the two deeds come to; `always` names values that
    the function must be given even when they stay as they are.
    """
    rows, called = subject.view.Meta.model.objects, subject.is_called or "row"

    def make(*, slug: str, **given: Any) -> Any:
        if rows.filter(slug=slug).exists():
            raise Conflict("slug_taken", f"There is one named {slug} already.")
        return function(slug=slug, **given)

    def change(**given: Any) -> Any:
        row = given.pop(called)
        kept = {name: getattr(row, name) for name in always}
        return function(slug=row.slug, **{**kept, **given})

    return replace(
        subject,
        make=Deed(summary=made, perform=make, body=new, needs=needs, status=201),
        change=Deed(summary=changed, perform=change, body=body, needs=needs),
    )


def may(person: Person, action: str) -> bool:
    """Whether the person's roles allow it; "" is for everybody who has signed in."""
    if action == INSIDE:
        return bool(roles_of(person) - {"requester"})
    return not action or is_allowed(person, action)


def require_action(person: Person, action: str) -> None:
    """Raise Forbidden unless the person's roles allow it."""
    if action == INSIDE and not may(person, action):
        raise Forbidden("not_allowed", "This is for people of the service.")
    if action and action != INSIDE:
        require(person, action)
