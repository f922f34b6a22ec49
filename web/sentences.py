"""Says in plain words what each kind of event was; pure."""

from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from escalation.models import ClockKind
from tickets.lifecycle import RESOLUTION_CODES
from tickets.models import Alert
from tickets.priority import LABELS as PRIORITY_LABELS
from tickets.states import LABELS as STATUS_LABELS
from web import casesentences as cases
from web.eventwords import Facts, Names, because, named, plain
from web.wording import inline, worded


def headline(kind: str, facts: Facts, names: Names) -> str:
    """The event as the end of a sentence that begins with who did it, in the reader's language."""
    if kind in _WORDED:
        return _WORDED[kind](facts, names)
    return plain(kind)


def _team(facts: Facts, names: Names) -> str:
    team_id = facts.get("set", {}).get("team_id")
    return names.teams.get(team_id) or str(facts.get("team") or gettext("another team"))


def _moved(facts: Facts, names: Names) -> str:
    team = {"team": _team(facts, names)}
    if facts.get("was", {}).get("team_id"):
        return gettext("sent it to %(team)s") % team
    return gettext("put it into the queue of %(team)s") % team


def _assigned(facts: Facts, names: Names) -> str:
    person_id = facts.get("set", {}).get("assignee_id")
    if not person_id:
        return gettext("left it unassigned")
    return gettext("assigned it to %(name)s") % {"name": names.people[person_id]}


def _owned(facts: Facts, names: Names) -> str:
    owner_id = facts.get("set", {}).get("owner_id")
    if not owner_id:
        return because(facts, plain("owned"))
    return because(facts, gettext("made %(name)s the owner") % {"name": names.people[owner_id]})


def _commented(facts: Facts, names: Names) -> str:
    if "workaround_of" in facts:
        return gettext("passed on word from %(key)s") % {"key": facts["workaround_of"]}
    if "update" in facts:
        return gettext("updated it in the system it came from")
    if "said_on" in facts:
        return gettext("wrote on %(key)s, which goes on here") % {"key": facts["said_on"]}
    return gettext("wrote")


def _triaged(facts: Facts, names: Names) -> str:
    if "group" in facts:
        return gettext("passed it to %(group)s") % {"group": facts["group"]}
    return gettext("said what it is about")


def _pended(facts: Facts, names: Names) -> str:
    status = facts.get("set", {}).get("status", "")
    if "change" in facts:
        return gettext("put it on hold: waiting for change %(key)s") % {"key": facts["change"]}
    state = inline(STATUS_LABELS.get(status, "")) or gettext("waiting")
    return gettext("put it on hold: %(state)s") % {"state": state}


def _resumed(facts: Facts, names: Names) -> str:
    return because(facts, gettext("resumed work"))


def _resolved(facts: Facts, names: Names) -> str:
    code = facts.get("set", {}).get("resolution_code", "")
    outcome = inline(RESOLUTION_CODES.get(code, "")) or gettext("solved")
    said = gettext("resolved it: %(outcome)s") % {"outcome": outcome}
    if facts.get("quietly"):
        said = gettext("%(said)s, without writing to stakeholders") % {"said": said}
    return said


def _closed(facts: Facts, names: Names) -> str:
    if facts.get("how") == "confirmed":
        return gettext("confirmed that it is solved")
    return gettext("closed it")


def _prioritised(facts: Facts, names: Names) -> str:
    changed = facts.get("set", {})
    was, now = facts.get("was", {}).get("priority"), changed.get("priority")
    if now is None:
        return because(facts, gettext("set impact and urgency anew"))
    told = gettext("changed the priority from P%(was)s to P%(now)s %(word)s")
    word = worded(PRIORITY_LABELS.get(now, ""))
    return because(facts, told % {"was": was, "now": now, "word": word})


def _watched(facts: Facts, names: Names) -> str:
    added, removed = names.listed(facts.get("added", [])), names.listed(facts.get("removed", []))
    parts = [gettext("put %(names)s on the list of watchers") % {"names": added}] if added else []
    if removed:
        parts.append(gettext("took %(names)s off the list of watchers") % {"names": removed})
    return "; ".join(parts) or gettext("changed the watchers")


def _targeted(facts: Facts, names: Names) -> str:
    if facts.get("because"):
        return because(facts, gettext("moved its clocks to the targets in force"))
    return gettext("set its targets")


def _escalated(facts: Facts, names: Names) -> str:
    if facts.get("set", {}).get("team_id"):
        return gettext("escalated it to %(team)s") % {"team": _team(facts, names)}
    return gettext("called for more authority")


def _handed_back(facts: Facts, names: Names) -> str:
    return gettext("handed it back to %(team)s") % {"team": _team(facts, names)}


def _involved(facts: Facts, names: Names) -> str:
    left = names.listed(facts.get("left", []))
    if left:
        return gettext("ended the help of %(names)s") % {"names": left}
    found = names.listed(facts.get("people", [])) or str(facts.get("team") or "")
    return (
        gettext("asked %(names)s to help") % {"names": found}
        if found
        else gettext("asked for help")
    )


def _alerted(facts: Facts, names: Names) -> str:
    summary = str(facts.get("summary") or gettext("an alert"))
    state = facts.get("state")
    return f"{summary} ({named(Alert.State, state)})" if state else summary


def _breached(facts: Facts, names: Names) -> str:
    if not facts.get("clock"):
        return gettext("noted that a target is missed")
    clock = named(ClockKind, facts["clock"])
    return gettext("noted that the %(clock)s target is missed") % {"clock": clock}


def _run(verb: str, facts: Facts) -> str:
    name = facts.get("name") or facts.get("policy") or gettext("the escalation policy")
    return because(facts, verb % {"policy": name})


def _step(verb: str, facts: Facts) -> str:
    return verb % {"step": facts.get("name") or facts.get("step") or gettext("a policy step")}


def _fired(facts: Facts, names: Names) -> str:
    if facts.get("outcome") == "empty":
        return _step(gettext("found nobody for “%(step)s”"), facts)
    return _step(gettext("carried out “%(step)s”"), facts)


LINK_WORDS: Final = {
    ("child_of", "out"): _("made it a child of %(other)s"),
    ("child_of", "in"): _("made %(other)s a child of it"),
    ("duplicate_of", "out"): _("called it a duplicate of %(other)s"),
    ("duplicate_of", "in"): _("called %(other)s a duplicate of it"),
    ("caused_by", "out"): _("said that %(other)s caused it"),
    ("caused_by", "in"): _("said that it caused %(other)s"),
    ("follows", "out"): _("said that it follows %(other)s"),
    ("follows", "in"): _("said that %(other)s follows it"),
}


def _linked(facts: Facts, names: Names) -> str:
    if not facts.get("other"):
        return plain("linked")
    other = {"other": facts["other"]}
    if facts.get("removed"):
        return gettext("took the link with %(other)s back") % other
    way = (facts.get("relation", ""), facts.get("direction", ""))
    return str(LINK_WORDS.get(way, _("linked it with %(other)s"))) % other


def _merged(facts: Facts, names: Names) -> str:
    if not facts.get("other"):
        return plain("merged")
    inward = facts.get("direction") == "in"
    told = gettext("merged %(other)s into it") if inward else gettext("merged it into %(other)s")
    return told % {"other": facts["other"]}


def _checked(facts: Facts, names: Names) -> str:
    named = {name: facts.get(name) for name in ("step", "title", "text")}
    if facts.get("done"):
        return gettext("did step %(step)s of “%(title)s”: %(text)s") % named
    return gettext("took back step %(step)s of “%(title)s”: %(text)s") % named


def _used(facts: Facts, names: Names) -> str:
    return gettext("solved it with “%(title)s”") % {"title": facts.get("title")}


def _rated(facts: Facts, names: Names) -> str:
    return gettext("rated it %(score)s of 5") % {"score": facts.get("score")}


VERDICTS: Final = {
    "right": _("said: right tier, nothing was missing"),
    "incomplete": _("said: right tier, but something was missing"),
    "wrong_tier": _("said: not for our tier"),
    "helped": _("said that they helped"),
    "late": _("said that they helped, but late"),
    "unhelpful": _("said that they did not help"),
}


def _handover_rated(facts: Facts, names: Names) -> str:
    return str(VERDICTS.get(facts.get("verdict", ""), _("rated the escalation")))


def _reviewed(facts: Facts, names: Names) -> str:
    if facts.get("state") == "signed":
        return gettext("signed its review")
    return gettext("began its review")


def _erased(facts: Facts, names: Names) -> str:
    return because(facts, gettext("erased the file %(name)s") % {"name": facts.get("name")})


_WORDED = {
    "file_erased": _erased,
    "article_used": _used,
    "checked": _checked,
    "rated": _rated,
    "handover_rated": _handover_rated,
    "reviewed": _reviewed,
    "linked": _linked,
    "merged": _merged,
    "cleared": cases.cleared,
    "unrestricted": cases.unrestricted,
    "notice_owed": lambda facts, names: cases.noticed("notice_owed", facts),
    "notice_given": lambda facts, names: cases.noticed("notice_given", facts),
    "major_proposed": lambda facts, names: cases.major("major_proposed", facts),
    "major_declared": lambda facts, names: cases.major("major_declared", facts),
    "major_staffed": cases.staffed,
    "major_updated": cases.updated,
    "room_filled": cases.room_filled,
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
    "owned": _owned,
    "targeted": _targeted,
    "escalated": _escalated,
    "handed_back": _handed_back,
    "involved": _involved,
    "alerted": _alerted,
    "breached": _breached,
    "vendor_engaged": lambda facts, names: cases.vendor(gettext("engaged %(vendor)s"), facts),
    "vendor_responded": lambda facts, names: cases.vendor(
        gettext("noted the answer of %(vendor)s"), facts
    ),
    "vendor_delivered": lambda facts, names: cases.vendor(
        gettext("noted the delivery of %(vendor)s"), facts
    ),
    "vendor_released": lambda facts, names: cases.vendor(gettext("released %(vendor)s"), facts),
    "change_planned": cases.change_planned,
    "change_ended": cases.change_ended,
    "diagnosed": cases.diagnosed,
    "run_started": lambda facts, names: _run(gettext("started %(policy)s"), facts),
    "run_stopped": lambda facts, names: _run(gettext("stopped %(policy)s"), facts),
    "fired": _fired,
    "skipped": lambda facts, names: _step(gettext("passed over “%(step)s”"), facts),
}
