"""What is wrong with a policy is said by its path, and a wrong one is never stored."""

import pytest

from escalation.checking import check_policy
from escalation.models import Policy, PolicyRevision
from escalation.policies import draft_policy, publish_policy
from roles.refusals import Conflict, Forbidden, Invalid
from tests.story import Story, notify, unacknowledged

STEP = unacknowledged(5, "Tell", notify("lead"))


@pytest.mark.parametrize(
    ("conditions", "steps", "path"),
    [
        ([{"fact": "moon", "is": 1}], [STEP], "conditions.1"),
        ([{"fact": "priority"}], [STEP], "conditions.1"),
        ([{"fact": "priority", "is": {"a": 1}}], [STEP], "conditions.1"),
        ([{"fact": "priority", "is": [[1]]}], [STEP], "conditions.1"),
        ([], [], "steps"),
        ([], [{**STEP, "trigger": "sometimes"}], "steps.1.trigger"),
        ([], [{**STEP, "delay_s": None}], "steps.1.delay_s"),
        ([], [STEP, {**STEP, "name": ""}], "steps.2.name"),
        ([], [{**STEP, "actions": [{"do": "notify", "to": ["king"]}]}], "steps.1.actions.1"),
        ([], [{**STEP, "actions": [{"do": "move", "to": 3}]}], "steps.1.actions.1"),
        ([], [{**STEP, "actions": [{"do": "raise_priority", "to": 9}]}], "steps.1.actions.1"),
    ],
)
def test_each_mistake_is_named_by_its_path(conditions, steps, path) -> None:
    assert list(check_policy(conditions, steps)) == [path]


def test_a_wrong_policy_is_not_stored(story: Story) -> None:
    policy = Policy.objects.create(slug="p", name="P", position=1)
    with pytest.raises(Invalid) as refused:
        draft_policy(policy=policy, conditions=[], steps=[], clock=story.clock)
    assert refused.value.fields == {"steps": "A policy needs at least one step."}
    assert not PolicyRevision.objects.exists()


def test_only_who_manages_policies_may_publish(story: Story) -> None:
    policy = story.policy("p", STEP)
    with pytest.raises(Forbidden):
        draft_policy(
            policy=policy, conditions=[], steps=[STEP], actor=story.agent, clock=story.clock
        )
    with pytest.raises(Conflict, match="no draft"):
        publish_policy(policy=policy, actor=story.admin, clock=story.clock)


def test_a_draft_may_be_replaced_and_a_published_revision_never(story: Story) -> None:
    policy = story.policy("p", STEP)
    for name in ("One", "Two"):
        step = {**STEP, "name": name}
        draft_policy(policy=policy, conditions=[], steps=[step], clock=story.clock)
    draft = PolicyRevision.objects.get(policy=policy, published_at=None)
    assert (draft.number, draft.steps.get().name) == (2, "Two")
