"""What another system is told when a step calls it."""

from escalation.letters import hook_letter
from escalation.models import Firing
from notifications.webhooks import create_hook
from tests.story import Story, notify, unacknowledged


def letter_for(story: Story, **about):  # type: ignore[no-untyped-def]
    story.policy("standard", unacknowledged(5, "Remind", notify("on_call")))
    ticket = story.open(**about)
    story.forward(minutes=5)
    hook, _ = create_hook(slug="chat", url="https://chat.example/in", name="Chat")
    firing = Firing.objects.get()
    return ticket, hook, hook_letter(
        ticket, firing, hook, policy="Standard", step="Remind", rung=1
    )  # fmt: skip


def test_another_system_is_told_the_ticket_the_policy_and_the_step(story: Story) -> None:
    ticket, hook, letter = letter_for(story)
    event = letter.data["event"]
    assert (letter.recipient_id, letter.channel) == (hook.account_id, "webhook")
    assert event["type"] == "escalation.fired"
    assert event["timestamp"] == "2026-03-02T09:05:00.000000+00:00"
    assert event["data"]["ticket"]["key"] == ticket.key
    assert event["data"]["ticket"]["priority"] == ticket.priority
    assert (event["data"]["policy"], event["data"]["step"]) == ("Standard", "Remind")


def test_another_system_is_told_nothing_of_a_restricted_case(story: Story) -> None:
    _, _, letter = letter_for(story, kind="security", restricted=True)
    assert letter is None
