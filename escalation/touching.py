"""Which open tickets a new revision of a policy would touch, and how many, for each reader."""

from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from escalation.models import Policy, PolicyRevision, Run
from roles.models import Person
from tickets.models import Clearance, Ticket

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Touched:
    """How many open tickets climb under an older revision, and the keys of the first of them.

    A restricted ticket is counted for those who are cleared for it, and for nobody else.
    """

    count: int
    keys: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What it comes to, to be read before a button."""
        if not self.count:
            return "No open ticket climbs under an older revision."
        more = self.count - len(self.keys)
        named = ", ".join(self.keys) + (f" and {more} more" if self.keys and more else "")
        about = f": {named}" if named else ""
        return (
            f"{self.count} open ticket{'s climb' if self.count > 1 else ' climbs'} under an older"
            f" revision and stay{'' if self.count > 1 else 's'} there unless moved{about}."
        )


def climbs_behind(policy: Policy, revision: PolicyRevision) -> QuerySet[Run]:
    """The running climbs of a policy that are not on this revision."""
    runs = Run.objects.filter(revision__policy=policy.pk, state=Run.State.ACTIVE)
    return runs.exclude(revision=revision.pk)


def touched(policy: Policy, revision: PolicyRevision, reader: Person | None) -> Touched:
    """The open tickets that moving to this revision would touch, as far as the reader may know.

    Whoever manages policies learns the number of ordinary tickets; keys only of those that the
    reader may see. None is the system, which sees all.
    """
    tickets = Ticket.objects.filter(pk__in=climbs_behind(policy, revision).values("ticket"))
    if reader is None:
        seen = counted = tickets
    else:
        cleared = Clearance.objects.filter(person=reader.pk).values("ticket")
        counted = tickets.filter(restricted=False) | tickets.filter(pk__in=cleared)
        seen = tickets & Ticket.objects.visible_to(reader)
    keys = seen.order_by("priority", "id").values_list("key", flat=True)[:SHOWN]
    return Touched(count=counted.distinct().count(), keys=tuple(keys))
