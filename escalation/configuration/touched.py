"""Says which open tickets climb under a revision that has just been replaced; it moves none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from escalation.configuration.climbs import POLICIES
from escalation.configuration.section import Change
from escalation.models import Policy
from escalation.touching import climbs_behind
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
    # A command line is read by people of whom nobody knows for what they are cleared.
    seen = Ticket.objects.visible_to(actor) if actor else Ticket.objects.filter(restricted=False)
    found = []
    for policy in Policy.objects.filter(slug__in=slugs).select_related("current"):
        if policy.current is not None:
            behind = climbs_behind(policy, policy.current).filter(ticket__in=seen)
            keys = list(behind.order_by("ticket_id").values_list("ticket__key", flat=True))
            found += [Touched(policy.slug, keys)] if keys else []
    return found
