"""The one table of who may do what: role by action, widened by what a person is to a ticket.

Pure. What is not written here is refused. The caller says which relations hold; a restricted
ticket is asked about twice: `see_restricted` first, and only then the act itself.
"""

from functools import lru_cache

Names = frozenset[str]

READ_ACTIONS: Names = frozenset({"view", "see_internal", "see_restricted"})
TICKET_ACTIONS: Names = READ_ACTIONS | {
    "open",
    "triage",
    "take",
    "assign",
    "acknowledge",
    "unacknowledge",
    "comment_public",
    "comment_internal",
    "escalate",
    "hand_back",
    "accept",
    "pend",
    "resume",
    "resolve",
    "confirm",
    "reopen",
    "close",
    "cancel",
    "set_priority",
    "override_priority",
    "name_owner",
    "watch",
    "link",
    "chase",
    "push_any",
    "restrict",
    "unrestrict",
    "clear",
    "break_glass",
    "notify_authority",
    "propose_major",
    "run_major",
    "update_stakeholders",
    "engage_vendor",
    "plan_change",
    "approve_change",
    "diagnose",
    "merge",
    "adopt",
    "snooze",
    "call_step",
    "invite",
    "rate",
    "use_article",
    "erase_file",
}
SITE_READ_ACTIONS: Names = frozenset({"see_audit", "see_dashboard"})
# `stand_in`: put oneself in, give away or swap one's own hours on call.
SITE_ACTIONS: Names = SITE_READ_ACTIONS | frozenset(
    {
        "admin",
        "manage_policies",
        "manage_roster",
        "stand_in",
        "draft_knowledge",
        "publish_knowledge",
    }
)
ACTIONS: Names = TICKET_ACTIONS | SITE_ACTIONS

ROLES: Names = frozenset(
    {
        "requester",
        "agent",
        "lead",
        "manager",
        "incident_manager",
        "communication_coordinator",
        "qa_reviewer",
        "change_manager",
        "ciso",
        "executive",
        "legal",
        "administrator",
        "auditor",
        "service",
    }
)
RELATIONS: Names = frozenset(
    {
        "requester",
        "own_organisation",
        "own_team",
        "owner_team",
        "assignee",
        "watcher",
        "paged",
        "cleared",
        "lead_of_team",
        "manager_of_team",
    }
)

# Everybody who reads the whole service's work, internal notes included.
_READ = frozenset({"view", "see_internal", "watch"})
_REMARK = _READ | {"comment_internal"}
_DISCUSS = _REMARK | {"link", "use_article", "draft_knowledge"}

# What the work on a ticket in one's own hands consists of.
_WORK = frozenset(
    {
        "invite",
        "notify_authority",
        "take",
        "acknowledge",
        "unacknowledge",
        "comment_public",
        "escalate",
        "pend",
        "resume",
        "resolve",
        "reopen",
        "close",
        "cancel",
        "set_priority",
        "restrict",
        "propose_major",
        "engage_vendor",
        "plan_change",
        "diagnose",
        "merge",
        "snooze",
        "call_step",
    }
)

# Who leads a team decides in it, and who may know of the cases that it has.
_HEAD = frozenset(
    {
        "assign",
        "override_priority",
        "name_owner",
        "manage_roster",
        "clear",
        "unrestrict",
        "erase_file",
    }
)

BY_ROLE: dict[str, Names] = {
    "requester": frozenset({"open"}),
    "agent": _DISCUSS | {"open", "chase", "triage"},
    "lead": _DISCUSS | {"open", "chase", "see_dashboard", "publish_knowledge"},
    "manager": _DISCUSS | {"open", "chase", "see_dashboard", "publish_knowledge"},
    "incident_manager": _DISCUSS
    | {
        "open",
        "triage",
        "take",
        "assign",
        "acknowledge",
        "unacknowledge",
        "comment_public",
        "escalate",
        "resume",
        "reopen",
        "set_priority",
        "override_priority",
        "name_owner",
        "erase_file",
        "chase",
        "push_any",
        "restrict",
        "propose_major",
        "run_major",
        "update_stakeholders",
        "engage_vendor",
        "diagnose",
        "merge",
        "adopt",
        "snooze",
        "call_step",
        "see_dashboard",
        "manage_policies",
    },
    "communication_coordinator": _DISCUSS
    | {"comment_public", "update_stakeholders", "propose_major", "see_dashboard"},
    "qa_reviewer": _DISCUSS | {"see_dashboard", "publish_knowledge"},
    "change_manager": _DISCUSS | {"plan_change", "approve_change", "see_dashboard"},
    "ciso": _DISCUSS
    | {"restrict", "unrestrict", "clear", "break_glass", "notify_authority", "see_dashboard"},
    "executive": _REMARK | {"see_dashboard"},
    "legal": _REMARK | {"notify_authority"},
    "administrator": frozenset(
        {
            "admin",
            "see_audit",
            "see_dashboard",
            "manage_policies",
            "manage_roster",
            "break_glass",
            "adopt",
            "draft_knowledge",
            "publish_knowledge",
        }
    ),
    "auditor": frozenset({"view", "see_internal", "see_audit", "see_dashboard"}),
    "service": _DISCUSS - {"watch", "draft_knowledge"} | {"open", "comment_public", "chase"},
}

# What a person is to the ticket at hand adds to that, for the roles named.
BY_RELATION: dict[tuple[str, str], Names] = {
    ("requester", "requester"): frozenset(
        {
            "view",
            "comment_public",
            "chase",
            "confirm",
            "reopen",
            "cancel",
            "watch",
            "invite",
            "rate",
        }
    ),
    ("requester", "own_organisation"): frozenset({"view", "watch"}),
    ("requester", "watcher"): frozenset({"view", "comment_public", "watch"}),
    ("agent", "own_team"): _WORK | {"accept", "hand_back", "stand_in"},
    ("agent", "assignee"): _WORK | {"clear"},
    ("agent", "owner_team"): frozenset(
        {"comment_public", "reopen", "close", "cancel", "set_priority", "erase_file"}
    ),
    ("lead", "lead_of_team"): _HEAD,
    ("manager", "manager_of_team"): _HEAD,
    ("lead", "owner_team"): frozenset({"name_owner"}),
    ("manager", "owner_team"): frozenset({"name_owner"}),
    ("incident_manager", "assignee"): _WORK,
    # An administrator in a case, by breaking the glass mostly, must be able to bring help in.
    ("administrator", "cleared"): frozenset({"see_internal", "comment_internal", "clear"}),
}

# Relations that count whatever somebody's role is, as long as they have one.
BY_RELATION_ALONE: dict[str, Names] = {
    "cleared": frozenset({"view", "see_restricted"}),
    "paged": frozenset({"view", "acknowledge", "unacknowledge"}),
}

# An auditor writes nothing, whatever else that person is.
AUDITOR_MAY: Names = READ_ACTIONS | SITE_READ_ACTIONS


def allows(roles: Names, action: str, relations: Names = frozenset()) -> bool:
    """Whether somebody in `roles`, and in `relations` to the ticket or team, may do `action`.

    Unknown names of all three kinds allow nothing. Site actions take the relations to the team
    concerned, if any.
    """
    if action not in ACTIONS or not roles & ROLES:
        return False
    if "auditor" in roles and action not in AUDITOR_MAY:
        return False
    return (
        any(action in BY_ROLE.get(role, ()) for role in roles)
        or any(action in BY_RELATION_ALONE.get(relation, ()) for relation in relations)
        or any(
            action in BY_RELATION.get((role, relation), ())
            for role in roles
            for relation in relations
        )
    )


@lru_cache(maxsize=4096)
def allowed(roles: Names, relations: Names = frozenset()) -> Names:
    """Every action that `allows` grants to these roles and relations."""
    return frozenset(action for action in ACTIONS if allows(roles, action, relations))
