"""Rules of teams: how members are told who have written no rules of their own."""

from collections.abc import Sequence
from typing import Final

from django.db import transaction

from notifications.channels.registry import on_offer
from notifications.models import TeamRule, Urgency
from roles import audit
from roles.instants import TimeSource, database_now
from roles.models import Person, Team
from roles.people import require
from roles.refusals import Invalid
from roles.teams import relations_to

DELAY_MAX_S: Final = 3600


@transaction.atomic
def set_team_rules(
    *,
    actor: Person | None,
    team: Team,
    urgency: str,
    rules: Sequence[tuple[str, int]],
    clock: TimeSource = database_now,
) -> list[TeamRule]:
    """The team's rules for one urgency: each (channel, delay in seconds); none at all means e-mail.

    They count for members without rules of their own, on channels for which they have proved an
    address. Raises Forbidden, and Invalid with the field `rules`.
    """
    require(actor, "manage_roster", relations_to(actor, team))
    if urgency not in Urgency.values:
        raise Invalid("unknown_urgency", "There is no such urgency.")
    words = ""
    if any(channel not in on_offer() for channel, _ in rules):
        words = "This site does not offer it."
    elif len({channel for channel, _ in rules}) < len(rules):
        words = "Each channel once."
    elif any(not 0 <= delay_s <= DELAY_MAX_S for _, delay_s in rules):
        words = "An hour at the most: the escalation goes on meanwhile."
    if words:
        raise Invalid("bad_rules", words, {"rules": words})
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    TeamRule.objects.filter(team=team, urgency=urgency).delete()
    made = TeamRule.objects.bulk_create(
        TeamRule(team=team, urgency=urgency, channel=channel, delay_s=delay_s)
        for channel, delay_s in rules
    )
    said = [f"{channel} after {delay_s} s" for channel, delay_s in rules]
    audit.record(
        actor=actor, action="team.rules", subject=team, changes={urgency: said}, clock=clock
    )
    return made
