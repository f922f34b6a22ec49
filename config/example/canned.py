"""Ready texts of the example site: by team's slug ("" for everybody's), name and text."""

from roles.models import Team
from tickets.models import CannedText

TEXTS = (
    (
        "",
        "First answer",
        "Dear {requester},\n\nthank you for telling us. {team} is looking into it ({key}); you will"
        " hear from me as soon as I know more.\n\n{agent}",
    ),
    (
        "",
        "We need your answer",
        "Dear {requester},\n\nto go on with {key} I need to know:\n\n- since when does it happen?\n"
        "- does it happen to colleagues too?\n- what exactly does the message say?\n\n{agent}",
    ),
    (
        "",
        "Solved",
        "Dear {requester},\n\nit should work again. If it does not, simply answer this message and"
        " {key} is open again.\n\n{agent}",
    ),
    (
        "service-desk",
        "Password reset",
        "Your password has been reset. Sign in with the one-time code that was sent to your phone"
        " and choose a new one.",
    ),
    (
        "application-support",
        "Ask for logs",
        "Please attach the application's log of the ten minutes around the failure, with the exact"
        " time and your time zone.",
    ),
)


def make_canned_texts() -> None:
    """The ready texts that are missing; those that people have changed stay as they are."""
    teams = {team.slug: team for team in Team.objects.all()}
    for slug, name, text in TEXTS:
        CannedText.objects.get_or_create(team=teams.get(slug), name=name, defaults={"text": text})
