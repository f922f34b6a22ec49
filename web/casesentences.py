"""Says what happened to cases that have a room of their own: majors, vendors, changes, secrets."""

from typing import Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tickets.models import Change, Phase
from web.eventwords import Facts, Names, because, plain
from web.eventwords import named as choice

ROLES: Final = {
    "manager": _("%(name)s leads"),
    "coordinator": _("%(name)s informs"),
    "technical_lead": _("%(name)s repairs"),
    "scribe": _("%(name)s writes"),
}


def cleared(facts: Facts, names: Names) -> str:
    """Who may know of it now, and who not any more."""
    added, removed = names.listed(facts.get("added", [])), names.listed(facts.get("removed", []))
    parts = [gettext("cleared %(names)s") % {"names": added}] if added else []
    if removed:
        parts.append(gettext("took the clearance of %(names)s") % {"names": removed})
    return because(facts, "; ".join(parts) or plain("cleared"))


def unrestricted(facts: Facts, names: Names) -> str:
    """How far the lifting of a restriction has come."""
    if facts.get("state") == "proposed":
        return gettext("proposed to lift the restriction; a second person has to confirm")
    if facts.get("state") == "withdrawn":
        return gettext("left the restriction as it is")
    return plain("unrestricted")


def noticed(kind: str, facts: Facts) -> str:
    """Which authority must be told, or was."""
    authority = {"authority": facts.get("authority")}
    if not authority["authority"]:
        return plain(kind)
    if kind == "notice_owed":
        return gettext("noted that %(authority)s must be told") % authority
    return gettext("told %(authority)s") % authority


def major(kind: str, facts: Facts) -> str:
    """What became of a major incident, and how grave it is."""
    if not facts.get("severity"):
        return plain(kind)
    named = {"what": plain(kind), "severity": facts["severity"]}
    return gettext("%(what)s of severity %(severity)s") % named


def staffed(facts: Facts, names: Names) -> str:
    """Who does what in a major incident."""
    named = facts.get("named", {})
    told = [
        str(ROLES[role]) % {"name": names.people[pk]} for role, pk in named.items() if role in ROLES
    ]
    if not told:
        return plain("major_staffed")
    return gettext("named who does what: %(roles)s") % {"roles": ", ".join(told)}


def room_filled(facts: Facts, names: Names) -> str:
    """Who was asked into the room of a major incident, and who could not be."""
    asked, missing = names.listed(facts.get("asked", [])), names.listed(facts.get("missing", []))
    said = gettext("asked %(names)s into the room") % {"names": asked}
    if not asked:
        said = gettext("asked nobody into the room")
    if missing:
        said = gettext("%(said)s; not reached there: %(names)s") % {"said": said, "names": missing}
    return said


def updated(facts: Facts, names: Names) -> str:
    """What the stakeholders were told, and by when they hear more."""
    inside = facts.get("audience") == "inside"
    told = (
        gettext("updated the stakeholders inside the service") if inside else plain("major_updated")
    )
    if facts.get("phase"):
        told = f"{told} ({choice(Phase, facts['phase'])})"
    minutes = facts.get("next_in_min")
    if not minutes:
        return told
    promised = ngettext(
        "%(told)s, and promised the next word in %(minutes)d minute",
        "%(told)s, and promised the next word in %(minutes)d minutes",
        minutes,
    )
    return promised % {"told": told, "minutes": minutes}


def vendor(verb: str, facts: Facts) -> str:
    """What was done with a vendor; `verb` has a place for its name."""
    said = verb % {"vendor": facts.get("name") or gettext("the vendor")}
    if facts.get("reference"):
        named = {"said": said, "reference": facts["reference"]}
        said = gettext("%(said)s, reference %(reference)s") % named
    return because(facts, said)


def change_planned(facts: Facts, names: Names) -> str:
    """How far the plan of a change has come."""
    if facts.get("state") == "submitted":
        return gettext("asked for approval of the change")
    if facts.get("lapsed"):
        return gettext("planned the change anew; it needs a new approval")
    return gettext("planned the change")


def change_ended(facts: Facts, names: Names) -> str:
    """How a change ended."""
    ending = choice(Change.State, facts["state"]) if facts.get("state") else gettext("ended")
    return gettext("noted how the change ended: %(state)s") % {"state": ending}


def diagnosed(facts: Facts, names: Names) -> str:
    """A diagnosis, or a workaround passed on to the problem's children."""
    if "published" in facts:
        return _passed_on(facts)
    if facts.get("known_error"):
        both = gettext("noted a known error and a workaround")
        return both if facts.get("has_workaround") else gettext("noted a known error")
    both = gettext("noted a diagnosis and a workaround")
    return both if facts.get("has_workaround") else gettext("noted a diagnosis")


def _passed_on(facts: Facts) -> str:
    count = facts["published"]
    children = ngettext("%(count)d open child", "%(count)d open children", count)
    whom = gettext("those at work")
    if facts.get("to_requesters"):
        whom = gettext("those at work and the requesters")
    named = {"whom": whom, "children": children % {"count": count}}
    return gettext("passed the workaround on to %(whom)s (%(children)s)") % named
