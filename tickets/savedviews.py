"""Views of people's own: filters of the queue that are kept, renamed, shared and deleted."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, When

from roles.models import Membership, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from tickets.models import SavedView

MOST: Final = 20
"""So many views somebody may have; beyond that nobody finds them again."""
LONGEST: Final = 1000
KEPT: Final = ("view", "team", "tier", "priority", "status", "q", "sort")
"""The filters of the queue that a view keeps, in the order of its address."""

VIEWS: Final = (*("mine", "team", "breach", "escalated", "unassigned", "major", "watched", "all"),)
SORTS: Final = ("due", "opened", "updated", "priority")
"""Which tabs and orders the queue has."""


def seen_by(person: Person) -> QuerySet[SavedView]:
    """Somebody's own views, then those that colleagues share with a team of theirs."""
    teams = Membership.objects.filter(person=person.pk).values("team")
    seen = SavedView.objects.filter(
        Q(owner=person.pk) | Q(team__in=teams, owner__is_active=True)
    ).select_related("owner", "team")
    return seen.order_by(Case(When(owner=person.pk, then=0), default=1), "name")


def kept_in(view: SavedView) -> dict[str, str]:
    """The filters that a view keeps, by name."""
    return {name: value for name, value in parse_qsl(view.query) if name in KEPT}


@transaction.atomic
def keep_view(
    *, actor: Person, name: str, filters: Mapping[str, str], team: Team | None = None
) -> SavedView:
    """The filters under a name; a view of that name of one's own is brought up to date.

    Raises Invalid without a name, Conflict when there are too many, Forbidden for a foreign team.
    """
    called = _name(name)
    _require_member(actor, team)
    held = SavedView.objects.select_for_update().filter(owner=actor.pk, name__iexact=called).first()
    if held is None:
        if SavedView.objects.filter(owner=actor.pk).count() >= MOST:
            raise Conflict("too_many", f"You have {MOST} views. Delete one first.")
        held = SavedView(owner=actor)
    held.name, held.query, held.team = called, _query(filters), team
    held.save()
    return held


@transaction.atomic
def change_view(
    *,
    actor: Person,
    view: SavedView,
    name: str,
    team: Team | None,
    filters: Mapping[str, str] | None = None,
) -> SavedView:
    """One's own view under another name, shared with another team or none, with other filters.

    Raises Invalid without a name, Conflict when one has that name, Forbidden for somebody else's.
    """
    locked = _own(actor, view)
    _require_member(actor, team)
    locked.name, locked.team = _name(name), team
    if filters is not None:
        locked.query = _query(filters)
    try:
        with transaction.atomic():
            locked.save(update_fields=["name", "team", "query"])
    except IntegrityError as taken:
        words = "You have a view of this name already."
        raise Conflict("name_taken", words, {"name": words}) from taken
    return locked


@transaction.atomic
def delete_view(*, actor: Person, view: SavedView) -> None:
    """Forget one's own view; the tickets stay as they are. Raises Forbidden for another's."""
    _own(actor, view).delete()


def _own(actor: Person, view: SavedView) -> SavedView:
    locked = SavedView.objects.select_for_update().get(pk=view.pk)
    if locked.owner_id != actor.pk:
        raise Forbidden("not_yours", f"This view belongs to {locked.owner}.")
    return locked


def _name(name: str) -> str:
    called = " ".join(name.split())
    if not called or len(called) > 40 or "\x00" in called:
        words = "Give it a name of at most 40 letters."
        raise Invalid("bad_name", words, {"name": words})
    return called


def _query(filters: Mapping[str, str]) -> str:
    query = urlencode({name: filters[name] for name in KEPT if filters.get(name)})
    if len(query) > LONGEST:
        words = "Too many filters for one view."
        raise Invalid("too_long", words, {"filters": words})
    return query


def _require_member(actor: Person, team: Team | None) -> None:
    if team and not Membership.objects.filter(person=actor.pk, team=team.pk).exists():
        words = "You can share a view only with a team of yours."
        raise Forbidden("foreign_team", words, {"team": words})
