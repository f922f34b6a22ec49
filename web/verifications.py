"""The walks through the past as the operations page shows them: the last one, or how far it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from insights.operations.checks import LABELS, WELL, findings_for, last_of, under_way
from insights.operations.models import Verification
from roles.models import Person

What = Verification.What
WHAT_FOR: Mapping[str, str | Promise] = {
    What.TIMELINES: _("each event, its chain and its words are what they were"),
    What.CLOCKS: _("each clock says what its timeline comes to"),
}
COMMANDS: Mapping[str, str] = {What.TIMELINES: "verify_timeline", What.CLOCKS: "verify_clocks"}
VERBS: Mapping[str, str | Promise] = {
    What.TIMELINES: _("Verify the timelines"),
    What.CLOCKS: _("Verify the clocks"),
}


@dataclass(frozen=True)
class Shown:
    """One kind of walk: under way or not, the last that ended, and what this reader may know."""

    slug: str
    label: str | Promise
    what_for: str | Promise
    verb: str | Promise
    well: str | Promise
    command: str
    running: Verification | None
    last: Verification | None
    findings: Sequence[str]

    @property
    def percent(self) -> int:
        """How far the one under way has come; whole percent, so that no case is counted."""
        run = self.running
        return min(100, 100 * run.done // run.total) if run and run.total else 0

    @property
    def hidden(self) -> bool:
        """Whether there is more than what is named here."""
        return self.last is not None and self.last.found > len(self.findings)


def verifications(reader: Person) -> list[Shown]:
    """Both walks as this person may see them."""
    running = {row.what: row for row in under_way()}
    return [_shown(reader, what, running.get(what)) for what in What.values]


def _shown(reader: Person, what: str, running: Verification | None) -> Shown:
    last = last_of(what)
    return Shown(
        slug=what,
        label=LABELS[what],
        what_for=WHAT_FOR[what],
        verb=VERBS[what],
        well=WELL[what],
        command=COMMANDS[what],
        running=running,
        last=last,
        findings=findings_for(reader, last) if last is not None and last.found else [],
    )
