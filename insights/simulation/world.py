"""The policies that a simulation plays: those of the site now, or as a file would have it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from escalation import runs
from escalation.models import Policy
from escalation.rules import Step
from escalation.steps import FLAPPING, RISK

UNPLAYED = (FLAPPING, RISK)
"""Triggers whose facts no timeline keeps: steps by them never fire in a simulation."""


@dataclass(frozen=True, slots=True)
class World:
    """Published policies in the order in which they are tried, and the steps of each revision."""

    name: str
    policies: Sequence[Policy]
    steps: Mapping[int, Sequence[Step]]

    @property
    def unplayed(self) -> list[str]:
        """Which steps cannot be simulated, each as "policy: step"."""
        return [
            f"{policy.name}: {step.name}"
            for policy in self.policies
            for step in self.steps.get(policy.current_id or 0, ())
            if step.trigger in UNPLAYED
        ]


def present_world(name: str = "current", only: Sequence[str] = ()) -> World:
    """The site's active policies with their current revisions; `only` keeps the named ones."""
    rows = Policy.objects.filter(is_active=True, current__isnull=False)
    rows = rows.filter(slug__in=only) if only else rows
    policies = list(rows.select_related("current").order_by("position", "id"))
    steps = runs.steps_of(policy.current_id for policy in policies if policy.current_id)
    return World(name, policies, steps)


def changed_world(name: str, change: Callable[[], Any]) -> World:
    """The site's policies as they would be after `change`, which is taken back at once.

    What `change` raises comes through, and nothing is kept then either.
    """
    with transaction.atomic():
        change()
        world = present_world(name)
        transaction.set_rollback(True)
    return world
