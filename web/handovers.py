"""What one asks the two sides of an escalation, and what they said, as pages show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from escalation.feedback import VERDICTS, side_of
from escalation.models import Escalation, HandoverFeedback
from roles.models import Person
from web.wording import worded_choices

ASKED: Final[Mapping[str, str | Promise]] = {
    "receiver": _("Was it for your tier, and did you have what you needed?"),
    "sender": _("Did they help?"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What one side is asked; `given` is what this person said before."""

    text: str | Promise
    choices: Sequence[tuple[str, str | Promise]]
    given: HandoverFeedback | None = None


def question_for(escalation: Escalation, person: Person) -> Question | None:
    """What the person is asked of the escalation; None for whoever is on neither side."""
    said = escalation.feedback.filter(person=person.pk)
    return _question(escalation, side_of(escalation, person), said.first())


def with_questions(
    escalations: Sequence[Escalation], person: Person, teams: frozenset[int]
) -> Sequence[Escalation]:
    """The escalations, each with the `question` to the person, if any; their `words` are read.

    `teams` are the person's.
    """
    for each in escalations:
        words: Sequence[HandoverFeedback] = each.words  # type: ignore[attr-defined]
        given = next((word for word in words if word.person_id == person.pk), None)
        side = side_of(each, person, teams)
        each.question = _question(each, side, given)  # type: ignore[attr-defined]
    return escalations


def _question(
    escalation: Escalation, side: str | None, given: HandoverFeedback | None
) -> Question | None:
    if side is None or escalation.to_team_id is None:
        return None
    offered = [HandoverFeedback.Verdict(verdict) for verdict in VERDICTS[side]]
    choices = worded_choices([(verdict.value, verdict.label) for verdict in offered])
    return Question(ASKED[side], choices, given)
