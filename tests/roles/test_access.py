"""The access table says yes only where the domain says so."""

import pytest

from roles.access import (
    ACTIONS,
    AUDITOR_MAY,
    BY_RELATION,
    BY_RELATION_ALONE,
    BY_ROLE,
    RELATIONS,
    ROLES,
    SITE_ACTIONS,
    TICKET_ACTIONS,
    allowed,
    allows,
)

NONE: frozenset[str] = frozenset()


def may(roles: str, action: str, relations: str = "") -> bool:
    return allows(frozenset(roles.split()), action, frozenset(relations.split()))


@pytest.mark.parametrize(
    ("roles", "relations", "actions"),
    [
        ("requester", "", "open"),
        ("requester", "requester", "view comment_public chase confirm reopen cancel watch"),
        ("requester", "own_organisation", "view"),
        ("requester", "watcher", "view comment_public"),
        ("agent", "", "view see_internal comment_internal watch link open chase triage"),
        (
            "agent",
            "own_team",
            "take acknowledge unacknowledge escalate pend resume resolve reopen close cancel "
            "comment_public set_priority accept hand_back restrict",
        ),
        ("agent", "assignee", "acknowledge escalate pend resume resolve comment_public"),
        ("agent", "owner_team", "comment_public reopen close set_priority"),
        ("agent lead", "lead_of_team", "assign override_priority manage_roster"),
        ("agent manager", "manager_of_team", "assign override_priority manage_roster"),
        (
            "incident_manager",
            "",
            "view see_internal push_any reopen assign take acknowledge escalate set_priority "
            "override_priority comment_public comment_internal restrict see_dashboard",
        ),
        ("incident_manager", "assignee", "resolve pend"),
        ("communication_coordinator", "", "view comment_public comment_internal"),
        ("qa_reviewer", "", "view see_internal comment_internal see_dashboard"),
        ("change_manager", "", "view see_internal comment_internal"),
        ("ciso", "", "view see_internal comment_internal restrict"),
        ("executive", "", "view see_dashboard comment_internal"),
        ("legal", "", "view comment_internal"),
        ("auditor", "", "view see_internal see_audit see_dashboard"),
        ("administrator", "", "admin see_audit see_dashboard manage_policies manage_roster"),
        ("service", "", "open view comment_public comment_internal chase"),
        ("requester", "cleared", "view see_restricted"),
        ("executive", "paged", "acknowledge"),
    ],
)
def test_what_is_granted(roles, relations, actions):
    assert [a for a in actions.split() if not may(roles, a, relations)] == []


@pytest.mark.parametrize(
    ("roles", "relations", "actions"),
    [
        # A requester never sees internal notes, nor works on a ticket, not even their own.
        ("requester", "requester", "see_internal comment_internal take resolve escalate assign"),
        ("requester", "", "view comment_public chase"),
        ("requester", "own_organisation", "comment_public cancel confirm see_internal"),
        ("requester", "requester cleared", "see_internal comment_internal"),
        # Agents act in their own team only.
        (
            "agent",
            "",
            "take acknowledge escalate pend resume resolve close reopen cancel assign "
            "comment_public set_priority override_priority push_any restrict",
        ),
        ("agent", "owner_team", "take resolve escalate accept hand_back"),
        ("agent", "own_team", "assign override_priority push_any confirm manage_roster"),
        # A lead is a lead in one team.
        ("agent lead", "", "assign override_priority manage_roster take"),
        ("agent lead", "own_team", "assign override_priority manage_roster"),
        # Taking over and handing back are the receiving team's own acts.
        ("incident_manager", "", "accept hand_back resolve pend admin manage_roster"),
        # Administering is not acting on tickets.
        ("administrator", "", "view open take resolve comment_internal see_internal escalate"),
        ("administrator requester", "", "view take see_internal"),
        ("executive", "", "take resolve escalate acknowledge"),
        ("service", "", "take resolve escalate admin see_audit watch"),
    ],
)
def test_what_is_refused(roles, relations, actions):
    assert [a for a in actions.split() if may(roles, a, relations)] == []


@pytest.mark.parametrize("role", sorted(ROLES))
def test_nobody_sees_the_restricted_without_being_cleared(role):
    others = RELATIONS - {"cleared"}
    assert not allows(frozenset({role}), "see_restricted", others)
    assert allows(frozenset({role}), "see_restricted", frozenset({"cleared"}))


def test_an_auditor_writes_nothing_whatever_else_that_person_is():
    assert allowed(ROLES, RELATIONS) == AUDITOR_MAY
    assert allowed(ROLES - {"auditor"}, RELATIONS) == ACTIONS


def test_without_a_role_no_relation_helps():
    assert allowed(NONE, RELATIONS) == NONE


def test_unknown_names_allow_nothing():
    assert not allows(frozenset({"wizard"}), "view", RELATIONS)
    assert not allows(ROLES - {"auditor"}, "destroy", RELATIONS)
    assert not allows(frozenset({"requester"}), "view", frozenset({"friend"}))


def test_the_table_names_only_what_is_declared():
    assert set(BY_ROLE) == ROLES
    assert {role for role, _ in BY_RELATION} <= ROLES
    assert {relation for _, relation in BY_RELATION} | set(BY_RELATION_ALONE) <= RELATIONS
    granted = [*BY_ROLE.values(), *BY_RELATION.values(), *BY_RELATION_ALONE.values()]
    assert frozenset().union(*granted) == ACTIONS
    assert TICKET_ACTIONS & SITE_ACTIONS == NONE
