"""Says in plain words what each kind of event was; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tickets.lifecycle import RESOLUTION_CODES
from tickets.priority import LABELS as PRIORITY_LABELS
from tickets.states import LABELS as STATUS_LABELS

ICONS = {
    "opened": "circle-plus",
    "triaged": "tags",
    "moved": "arrow-right",
    "taken": "hand",
    "assigned": "user-check",
    "released": "undo-2",
    "acknowledged": "check",
    "unacknowledged": "undo-2",
    "chased": "megaphone",
    "pended": "circle-pause",
    "resumed": "circle-play",
    "resolved": "circle-check",
    "reopened": "rotate-ccw",
    "closed": "archive",
    "cancelled": "circle-x",
    "prioritised": "arrow-up-down",
    "owned": "flag",
    "watched": "eye",
    "linked": "link",
    "involved": "user-plus",
    "restricted": "lock",
    "alerted": "activity",
    "targeted": "target",
    "breached": "flame",
    "escalated": "trending-up",
    "accepted": "thumbs-up",
    "handed_back": "corner-down-left",
    "run_started": "play",
    "run_stopped": "square",
    "fired": "zap",
    "skipped": "skip-forward",
    "run_held": "circle-pause",
    "run_released": "circle-play",
    "snoozed": "alarm-clock",
    "step_called": "mouse-pointer-click",
    "merged": "merge",
    "adopted": "download",
    "unrestricted": "lock-open",
    "cleared": "key-round",
    "glass_broken": "siren",
    "notice_owed": "scale",
    "notice_given": "mail-check",
    "major_proposed": "flag",
    "major_rejected": "flag-off",
    "major_declared": "siren",
    "major_staffed": "users",
    "major_updated": "megaphone",
    "major_demoted": "chevrons-down",
    "vendor_engaged": "handshake",
    "vendor_responded": "phone-incoming",
    "vendor_delivered": "package-check",
    "vendor_released": "handshake",
    "change_planned": "clipboard-list",
    "change_approved": "clipboard-check",
    "change_rejected": "clipboard-x",
    "change_ended": "clipboard-check",
    "diagnosed": "stethoscope",
    "article_used": "book-open-check",
    "checked": "list-checks",
    "rated": "smile",
}

PLAIN = {
    "opened": "opened this ticket",
    "taken": "took it",
    "released": "put it back into the team's queue",
    "acknowledged": "acknowledged it",
    "unacknowledged": "took the acknowledgement back",
    "chased": "asked where it stands",
    "reopened": "reopened it",
    "cancelled": "cancelled it",
    "accepted": "accepted the escalation",
    "restricted": "restricted who may know of it",
    "owned": "changed the owner",
    "linked": "linked another ticket",
    "run_held": "held its policy",
    "run_released": "let its policy go on",
    "snoozed": "snoozed its policy",
    "step_called": "called a step of its policy",
    "merged": "merged it",
    "adopted": "adopted it from the import",
    "unrestricted": "lifted the restriction",
    "cleared": "changed who may know of it",
    "glass_broken": "opened it in an emergency",
    "notice_owed": "noted that a regulator must be told",
    "notice_given": "told the regulator",
    "major_proposed": "proposed a major incident",
    "major_rejected": "rejected the major incident",
    "major_declared": "declared a major incident",
    "major_staffed": "named the roles of the major incident",
    "major_updated": "updated the stakeholders",
    "major_demoted": "demoted the major incident",
    "change_approved": "approved the change",
    "change_rejected": "rejected the change",
}


@dataclass(frozen=True)
class Names:
    """What ids in facts are called."""

    teams: Mapping[int, str]
    people: Mapping[int, str]


Facts = Mapping[str, Any]


def headline(kind: str, facts: Facts, names: Names) -> str:
    """The event as the end of a sentence that begins with who did it."""
    if kind in _WORDED:
        return _WORDED[kind](facts, names)
    return PLAIN.get(kind, kind.replace("_", " "))


def _team(facts: Facts, names: Names) -> str:
    team_id = facts.get("set", {}).get("team_id")
    return names.teams.get(team_id) or str(facts.get("team") or "another team")


def _moved(facts: Facts, names: Names) -> str:
    verb = "sent it to" if facts.get("was", {}).get("team_id") else "put it into the queue of"
    return f"{verb} {_team(facts, names)}"


def _assigned(facts: Facts, names: Names) -> str:
    person_id = facts.get("set", {}).get("assignee_id")
    return f"assigned it to {names.people[person_id]}" if person_id else "left it unassigned"


def _commented(facts: Facts, names: Names) -> str:
    if "workaround_of" in facts:
        return f"passed on word from {facts['workaround_of']}"
    if "update" in facts:
        return "updated it in the system it came from"
    return f"wrote on {facts['said_on']}, which goes on here" if "said_on" in facts else "wrote"


def _triaged(facts: Facts, names: Names) -> str:
    return f"passed it to {facts['group']}" if "group" in facts else "said what it is about"


def _pended(facts: Facts, names: Names) -> str:
    status = facts.get("set", {}).get("status", "")
    if "change" in facts:
        return f"put it on hold: waiting for change {facts['change']}"
    return f"put it on hold: {STATUS_LABELS.get(status, 'waiting').lower()}"


def _resumed(facts: Facts, names: Names) -> str:
    because = facts.get("because")
    return f"resumed work: {because}" if because else "resumed work"


def _resolved(facts: Facts, names: Names) -> str:
    code = facts.get("set", {}).get("resolution_code", "")
    return f"resolved it: {RESOLUTION_CODES.get(code, 'solved').lower()}"


def _closed(facts: Facts, names: Names) -> str:
    return "confirmed that it is solved" if facts.get("how") == "confirmed" else "closed it"


def _prioritised(facts: Facts, names: Names) -> str:
    changed = facts.get("set", {})
    was, now = facts.get("was", {}).get("priority"), changed.get("priority")
    because = f": {facts['because']}" if facts.get("because") else ""
    if now is None:
        return f"set impact and urgency anew{because}"
    return f"changed the priority from P{was} to P{now} {PRIORITY_LABELS.get(now, '')}{because}"


def _watched(facts: Facts, names: Names) -> str:
    added = [names.people[person_id] for person_id in facts.get("added", [])]
    removed = [names.people[person_id] for person_id in facts.get("removed", [])]
    parts = [f"{', '.join(added)} watches now"] if added else []
    parts += [f"{', '.join(removed)} does not watch any more"] if removed else []
    return "; ".join(parts) or "changed the watchers"


def _targeted(facts: Facts, names: Names) -> str:
    because = facts.get("because")
    return f"moved its clocks to the targets in force: {because}" if because else "set its targets"


def _escalated(facts: Facts, names: Names) -> str:
    if facts.get("set", {}).get("team_id"):
        return f"escalated it to {_team(facts, names)}"
    return "called for more authority"


def _handed_back(facts: Facts, names: Names) -> str:
    return f"handed it back to {_team(facts, names)}"


def _involved(facts: Facts, names: Names) -> str:
    left = [names.people[person_id] for person_id in facts.get("left", [])]
    if left:
        return f"ended the help of {', '.join(left)}"
    people = [names.people[person_id] for person_id in facts.get("people", [])]
    found = people or ([str(facts["team"])] if facts.get("team") else [])
    return f"asked {', '.join(found)} to help" if found else "asked for help"


def _alerted(facts: Facts, names: Names) -> str:
    summary = str(facts.get("summary") or "an alert")
    return f"{summary} ({facts['state']})" if facts.get("state") else summary


def _clock(facts: Facts) -> str:
    return str(facts.get("clock") or "a").replace("_", " ")


def _breached(facts: Facts, names: Names) -> str:
    return f"noted that the {_clock(facts)} target is missed"


def _run(verb: str, facts: Facts) -> str:
    name = facts.get("name") or facts.get("policy") or "the escalation policy"
    because = f": {facts['because']}" if facts.get("because") else ""
    return f"{verb} {name}{because}"


def _step(verb: str, facts: Facts) -> str:
    name = facts.get("name") or facts.get("step") or "a policy step"
    return f"{verb} “{name}”"


def _fired(facts: Facts, names: Names) -> str:
    reached_nobody = facts.get("outcome") == "empty"
    return _step("found nobody for" if reached_nobody else "carried out", facts)


LINK_WORDS = {
    ("child_of", "out"): "made it a child of {other}",
    ("child_of", "in"): "made {other} a child of it",
    ("duplicate_of", "out"): "called it a duplicate of {other}",
    ("duplicate_of", "in"): "called {other} a duplicate of it",
    ("caused_by", "out"): "said that {other} caused it",
    ("caused_by", "in"): "said that it caused {other}",
    ("follows", "out"): "said that it follows {other}",
    ("follows", "in"): "said that {other} follows it",
}
ROLES = {
    "manager": "leads",
    "coordinator": "informs",
    "technical_lead": "repairs",
    "scribe": "writes",
}


def _linked(facts: Facts, names: Names) -> str:
    if not facts.get("other"):
        return PLAIN["linked"]
    if facts.get("removed"):
        return f"took the link with {facts['other']} back"
    way = (facts.get("relation", ""), facts.get("direction", ""))
    return LINK_WORDS.get(way, "linked it with {other}").format(other=facts["other"])


def _merged(facts: Facts, names: Names) -> str:
    if not facts.get("other"):
        return PLAIN["merged"]
    inward = facts.get("direction") == "in"
    return f"merged {facts['other']} into it" if inward else f"merged it into {facts['other']}"


def _cleared(facts: Facts, names: Names) -> str:
    added = [names.people[person_id] for person_id in facts.get("added", [])]
    removed = [names.people[person_id] for person_id in facts.get("removed", [])]
    because = f": {facts['because']}" if facts.get("because") else ""
    parts = [f"cleared {', '.join(added)}"] if added else []
    parts += [f"took the clearance of {', '.join(removed)}"] if removed else []
    return ("; ".join(parts) or PLAIN["cleared"]) + because


def _unrestricted(facts: Facts, names: Names) -> str:
    return {
        "proposed": "proposed to lift the restriction; a second person has to confirm",
        "withdrawn": "left the restriction as it is",
    }.get(facts.get("state", ""), PLAIN["unrestricted"])


def _noticed(kind: str, facts: Facts) -> str:
    authority = facts.get("authority")
    if not authority:
        return PLAIN[kind]
    owed = kind == "notice_owed"
    return f"noted that {authority} must be told" if owed else f"told {authority}"


def _major(kind: str, facts: Facts) -> str:
    severity = facts.get("severity")
    return f"{PLAIN[kind]} of severity {severity}" if severity else PLAIN[kind]


def _staffed(facts: Facts, names: Names) -> str:
    named = facts.get("named", {})
    told = [f"{names.people[pk]} {ROLES[role]}" for role, pk in named.items() if role in ROLES]
    return f"named who does what: {', '.join(told)}" if told else PLAIN["major_staffed"]


def _updated(facts: Facts, names: Names) -> str:
    inside = " inside the service" if facts.get("audience") == "inside" else ""
    minutes = facts.get("next_in_min")
    promised = f", and promised the next word in {minutes} minutes" if minutes else ""
    return f"updated the stakeholders{inside}{promised}"


def _vendor(verb: str, facts: Facts) -> str:
    reference = f", reference {facts['reference']}" if facts.get("reference") else ""
    because = f": {facts['because']}" if facts.get("because") else ""
    return f"{verb} {facts.get('name') or 'the vendor'}{reference}{because}"


def _change_planned(facts: Facts, names: Names) -> str:
    if facts.get("state") == "submitted":
        return "asked for approval of the change"
    if facts.get("lapsed"):
        return "planned the change anew; it needs a new approval"
    return "planned the change"


def _change_ended(facts: Facts, names: Names) -> str:
    state = str(facts.get("state") or "ended").replace("_", " ")
    return f"noted how the change ended: {state}"


def _diagnosed(facts: Facts, names: Names) -> str:
    if "published" in facts:
        whom = "those at work and the requesters" if facts.get("to_requesters") else "those at work"
        children = f"{facts['published']} open children"
        return f"passed the workaround on to {whom} ({children})"
    known = "noted a known error" if facts.get("known_error") else "noted a diagnosis"
    return f"{known} and a workaround" if facts.get("has_workaround") else known


def _checked(facts: Facts, names: Names) -> str:
    verb = "did" if facts.get("done") else "took back"
    return f"{verb} step {facts.get('step')} of “{facts.get('title')}”: {facts.get('text')}"


_WORDED = {
    "article_used": lambda facts, names: f"solved it with “{facts.get('title')}”",
    "checked": _checked,
    "rated": lambda facts, names: f"rated it {facts.get('score')} of 5",
    "linked": _linked,
    "merged": _merged,
    "cleared": _cleared,
    "unrestricted": _unrestricted,
    "notice_owed": lambda facts, names: _noticed("notice_owed", facts),
    "notice_given": lambda facts, names: _noticed("notice_given", facts),
    "major_proposed": lambda facts, names: _major("major_proposed", facts),
    "major_declared": lambda facts, names: _major("major_declared", facts),
    "major_staffed": _staffed,
    "major_updated": _updated,
    "moved": _moved,
    "assigned": _assigned,
    "commented": _commented,
    "triaged": _triaged,
    "pended": _pended,
    "resumed": _resumed,
    "resolved": _resolved,
    "closed": _closed,
    "prioritised": _prioritised,
    "watched": _watched,
    "targeted": _targeted,
    "escalated": _escalated,
    "handed_back": _handed_back,
    "involved": _involved,
    "alerted": _alerted,
    "breached": _breached,
    "vendor_engaged": lambda facts, names: _vendor("engaged", facts),
    "vendor_responded": lambda facts, names: _vendor("noted the answer of", facts),
    "vendor_delivered": lambda facts, names: _vendor("noted the delivery of", facts),
    "vendor_released": lambda facts, names: _vendor("released", facts),
    "change_planned": _change_planned,
    "change_ended": _change_ended,
    "diagnosed": _diagnosed,
    "run_started": lambda facts, names: _run("started", facts),
    "run_stopped": lambda facts, names: _run("stopped", facts),
    "fired": _fired,
    "skipped": lambda facts, names: _step("passed over", facts),
}
