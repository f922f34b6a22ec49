"""Says the words that the floors below keep in English in the language of whoever reads them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db.models import Choices
from django.utils.text import format_lazy
from django.utils.translation import get_language, pgettext, pgettext_lazy

from escalation.gates import DAY_NAMES
from escalation.models import (
    Clock,
    ClockKind,
    Engagement,
    Escalation,
    HandoverFeedback,
    Policy,
    PolicyStep,
    Run,
    StopOn,
)
from insights.models import Simulation
from notifications.models import MessageState, Outcome
from roles.models import Membership, Swap
from tickets import priority, states
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import (
    Alert,
    Article,
    Change,
    Kind,
    Major,
    Phase,
    Scenario,
    Source,
    TicketLink,
)
from tickets.stakeholders import AUDIENCES

CONTEXT: Final = "label"
"""What the catalogues know these words by: “Open” is a state here, and elsewhere an act."""
ENUMS: Final[tuple[type[Choices], ...]] = (
    *(Kind, Source, TicketLink.Relation, Alert.State, Major.State, Major.Severity, Change.State),
    *(Article.State, Article.Audience, Membership.Role, Swap.State),
    *(Escalation.Type, Escalation.State, Escalation.Reason, Escalation.HandBackReason),
    *(
        HandoverFeedback.Verdict,
        ClockKind,
        Clock.State,
        Clock.Ending,
        Engagement.State,
        Run.State,
        Policy.Mode,
        StopOn,
    ),
    *(PolicyStep.Trigger, PolicyStep.Same, PolicyStep.Basis),
    *(Simulation.State, MessageState, Outcome, Scenario, Phase),
)
"""Every list of choices of which a page shows one."""


def labels() -> Iterator[str]:
    """Every word that the floors below give a page to show; the catalogues are made with them."""
    for enum in ENUMS:
        yield from (str(label) for label in enum.labels if label)
    for named in (states.LABELS, priority.LABELS, priority.LEVELS, RESOLUTION_CODES, AUDIENCES):
        yield from named.values()  # type: ignore[attr-defined]
    yield from (severity.name.capitalize() for severity in Major.Severity)
    yield from DAY_NAMES


def worded(label: object) -> str:
    """A label of the floors below in the reader's language; as it stands where nobody knows it."""
    return pgettext(CONTEXT, str(label)) if label else ""


def inline(label: object) -> str:
    """The same within a sentence: in English without its capitals, in German as it is written.

    Initials and names such as “VIP” and “P1” keep theirs.
    """
    words = worded(label)
    if not (get_language() or "en").startswith("en"):
        return words
    return " ".join(word if word.isupper() else word.lower() for word in words.split(" "))


def worded_choices(pairs: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Choices of a form whose words are said anew for each reader."""
    return [(value, pgettext_lazy(CONTEXT, str(label)) if label else "") for value, label in pairs]


def numbered(levels: Mapping[int, str], mark: str = "") -> list[tuple[Any, Any]]:
    """Levels as choices, each with its number and its word: “P1 Critical”."""
    return [
        (str(level), format_lazy("{}{} {}", mark, level, pgettext_lazy(CONTEXT, word)))
        for level, word in levels.items()
    ]
