"""The plain words of events, and how what stands in their facts is called."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from web.wording import inline

PLAIN: Final = {
    "opened": _("opened this ticket"),
    "taken": _("took it"),
    "released": _("put it back into the team's queue"),
    "acknowledged": _("acknowledged it"),
    "unacknowledged": _("took the acknowledgement back"),
    "chased": _("asked where it stands"),
    "reopened": _("reopened it"),
    "cancelled": _("cancelled it"),
    "accepted": _("accepted the escalation"),
    "restricted": _("restricted who may know of it"),
    "owned": _("changed the owner"),
    "linked": _("linked another ticket"),
    "run_held": _("held its policy"),
    "run_released": _("let its policy go on"),
    "snoozed": _("snoozed its policy"),
    "step_called": _("called a step of its policy"),
    "merged": _("merged it"),
    "adopted": _("adopted it from the import"),
    "unrestricted": _("lifted the restriction"),
    "cleared": _("changed who may know of it"),
    "glass_broken": _("opened it in an emergency"),
    "notice_owed": _("noted that a regulator must be told"),
    "notice_given": _("told the regulator"),
    "major_proposed": _("proposed a major incident"),
    "major_rejected": _("rejected the major incident"),
    "major_declared": _("declared a major incident"),
    "major_staffed": _("named the roles of the major incident"),
    "major_updated": _("updated the stakeholders"),
    "room_opened": _("opened a room in Slack for it"),
    "room_filled": _("asked people into the room"),
    "decided": _("kept a decision"),
    "major_demoted": _("demoted the major incident"),
    "change_approved": _("approved the change"),
    "change_rejected": _("rejected the change"),
}


Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Names:
    """What ids in facts are called."""

    teams: Mapping[int, str]
    people: Mapping[int, str]

    def listed(self, ids: Iterable[int]) -> str:
        """The people of these ids in a row."""
        return ", ".join(self.people[person_id] for person_id in ids)


def plain(kind: str) -> str:
    """What an event says that has no sentence of its own."""
    return str(PLAIN.get(kind, kind.replace("_", " ")))


def because(facts: Facts, said: str) -> str:
    """The sentence with the reason that somebody gave behind it."""
    return f"{said}: {facts['because']}" if facts.get("because") else said


def named(enum: Any, value: Any) -> str:
    """A stored choice within a sentence; what is no choice any more stands as it is."""
    known = value in enum.values
    return inline(enum(value).label) if known else str(value).replace("_", " ")
