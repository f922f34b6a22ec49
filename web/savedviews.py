"""Views of people's own: kept, renamed, shared with a team, deleted, and read."""

from urllib.parse import parse_qsl

from django.db import IntegrityError, transaction
from django.db.models import Case, Q, QuerySet, When
from django.utils.translation import gettext as _

from roles.models import Membership, Person, Team
from roles.refusals import Conflict, Forbidden, Invalid
from web.filters import Filters
from web.models import SavedView

MOST = 20
"""So many views somebody may have; beyond that nobody finds them again."""


def seen_by(person: Person) -> QuerySet[SavedView]:
    """Somebody's own views, then those that colleagues share with a team of theirs."""
    teams = Membership.objects.filter(person=person.pk).values("team")
    seen = SavedView.objects.filter(
        Q(owner=person.pk) | Q(team__in=teams, owner__is_active=True)
    ).select_related("owner", "team")
    return seen.order_by(Case(When(owner=person.pk, then=0), default=1), "name")


def filters_of(view: SavedView) -> Filters:
    """The filters that a view keeps, with its own number."""
    return Filters.read({**dict(parse_qsl(view.query)), "saved": str(view.pk)})


@transaction.atomic
def keep_view(*, actor: Person, name: str, filters: Filters, team: Team | None = None) -> SavedView:
    """The present filters under a name; a view of that name of one's own is brought up to date.

    Raises Invalid without a name, Conflict when there are too many, Forbidden for a foreign team.
    """
    called = _name(name)
    _require_member(actor, team)
    held = SavedView.objects.select_for_update().filter(owner=actor.pk, name__iexact=called).first()
    if held is None:
        if SavedView.objects.filter(owner=actor.pk).count() >= MOST:
            raise Conflict(
                "too_many", _("You have %(most)s views. Delete one first.") % {"most": MOST}
            )
        held = SavedView(owner=actor)
    held.name, held.query, held.team = called, filters.lasting, team
    held.save()
    return held


@transaction.atomic
def change_view(*, actor: Person, view: SavedView, name: str, team: Team | None) -> SavedView:
    """One's own view under another name, or shared with another team, or with none.

    Raises Invalid without a name, Conflict when one has that name, Forbidden for somebody else's.
    """
    locked = _own(actor, view)
    _require_member(actor, team)
    locked.name, locked.team = _name(name), team
    try:
        with transaction.atomic():
            locked.save(update_fields=["name", "team"])
    except IntegrityError as taken:
        words = _("You have a view of this name already.")
        raise Conflict("name_taken", words, {"name": words}) from taken
    return locked


@transaction.atomic
def delete_view(*, actor: Person, view: SavedView) -> None:
    """Forget one's own view; the tickets stay as they are. Raises Forbidden for another's."""
    _own(actor, view).delete()


def _own(actor: Person, view: SavedView) -> SavedView:
    locked = SavedView.objects.select_for_update().get(pk=view.pk)
    if locked.owner_id != actor.pk:
        owner = locked.owner
        raise Forbidden("not_yours", _("This view belongs to %(owner)s.") % {"owner": owner})
    return locked


def _name(name: str) -> str:
    called = " ".join(name.split())
    if not called or len(called) > 40 or "\x00" in called:
        words = _("Give it a name of at most 40 letters.")
        raise Invalid("bad_name", words, {"name": words})
    return called


def _require_member(actor: Person, team: Team | None) -> None:
    if team and not Membership.objects.filter(person=actor.pk, team=team.pk).exists():
        words = _("You can share a view only with a team of yours.")
        raise Forbidden("foreign_team", words, {"team": words})
