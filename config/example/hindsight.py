"""What the example site learned afterwards: a review that is signed, and one that is late."""

from datetime import timedelta
from typing import Any, Final

from config.example.scenes import HOURS, Act
from insights.models import Review
from insights.reviews.keeping import (
    add_action,
    draft_review,
    edit_review,
    finish_action,
    sign_review,
)
from roles.instants import TimeSource
from roles.models import Person
from tickets.models import Ticket

GATEWAY: Final = "Limit retries in every client of the order gateway"
ALARM: Final = "Warn when eight of ten workers of the gateway are busy"

LOOKED_BACK: Final[dict[str, tuple[Act, ...]]] = {
    "orders-down": (
        Act(
            22 * HOURS,
            "marta",
            "look_back",
            {
                "cause": "The bank's client tries again at once and without end when payment is "
                "slow. Each try holds a worker of the gateway until it gives up; after nine "
                "minutes none was left.",
                "went_well": "The first person at the desk saw that it was everybody and passed "
                "it on within five minutes. Customers heard of it every half hour.",
                "went_badly": "Nothing warned of busy workers: a customer was faster than we.",
            },
        ),
        Act(21.5 * HOURS, "marta", "agree", {"text": GATEWAY, "owner": "kenji", "in_days": 6}),
        Act(21.4 * HOURS, "marta", "agree", {"text": ALARM, "owner": "hugo", "in_days": 2}),
        Act(5 * HOURS, "hugo", "finish", {"text": ALARM}),
        Act(4 * HOURS, "samuel", "sign", {}),
    ),
    "week-7": (
        Act(
            15 * 24 * HOURS,
            "erik",
            "look_back",
            {"cause": "", "went_badly": "Three people had told us before anybody looked."},
        ),
    ),
}
"""By the name of the scene, what follows when its ticket is over."""


def look_back(*, ticket: Ticket, actor: Person, clock: TimeSource, **sections: str) -> Review:
    """Draft the ticket's review, and say what no timeline can."""
    made = draft_review(ticket=ticket, actor=actor, clock=clock)
    return edit_review(
        review=made, actor=actor, sections=sections, version=made.version, clock=clock
    )


def agree(
    *, ticket: Ticket, actor: Person, text: str, owner: str, in_days: int, clock: TimeSource
) -> Any:
    """Agree on an action of the ticket's review."""
    return add_action(
        review=Review.objects.get(ticket=ticket),
        actor=actor,
        text=text,
        owner=Person.objects.get(username=owner),
        due_on=(clock() + timedelta(days=in_days)).date(),
        clock=clock,
    )


def finish(*, ticket: Ticket, actor: Person, text: str, clock: TimeSource) -> Any:
    """Say that an action of the ticket's review is done."""
    action = Review.objects.get(ticket=ticket).actions.get(text=text)
    return finish_action(action=action, actor=actor, clock=clock)


def sign(*, ticket: Ticket, actor: Person, clock: TimeSource) -> Review:
    """Sign the ticket's review, as quality does."""
    return sign_review(review=Review.objects.get(ticket=ticket), actor=actor, clock=clock)
