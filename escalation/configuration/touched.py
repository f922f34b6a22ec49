"""Says which open tickets climb under a revision that has just been replaced; it moves none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F

from escalation.configuration.climbs import POLICIES
from escalation.configuration.section import Change
from escalation.models import Run
from roles.models import Person
from tickets.models import Ticket

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Touched:
    """Open tickets that stay on an older revision of one policy."""

    policy: str
    keys: Sequence[str]

    def __str__(self) -> str:
        shown = ", ".join(self.keys[:SHOWN]) + (", …" if len(self.keys) > SHOWN else "")
        many = (
            "1 open ticket stays" if len(self.keys) == 1 else f"{len(self.keys)} open tickets stay"
        )
        return f"! policies.{self.policy}: {many} on the earlier revision: {shown}"


def touched_by(changes: Iterable[Change], actor: Person | None) -> list[Touched]:
    """The tickets of each reworded policy that the actor may see; the system none restricted."""
    slugs = [c.key for c in changes if c.section is POLICIES and c.before and c.rewords]
    if not slugs:
        return []
    seen = Ticket.objects.visible_to(actor) if actor else Ticket.objects.filter(restricted=False)
    runs = Run.objects.filter(state=Run.State.ACTIVE, policy__slug__in=slugs, ticket__in=seen)
    older = runs.exclude(revision=F("policy__current")).order_by("ticket_id")
    keys: dict[str, list[str]] = {slug: [] for slug in slugs}
    for slug, key in older.values_list("policy__slug", "ticket__key"):
        keys[slug].append(key)
    return [Touched(slug, found) for slug, found in keys.items() if found]
