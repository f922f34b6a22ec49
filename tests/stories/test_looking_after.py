"""What the engine looks after at every look, beside clocks and policies."""

from datetime import timedelta

from tests.story import Story
from tickets.models import Clearance, TimelineEvent


def test_the_engine_takes_away_the_clearance_of_an_emergency_that_is_over(story: Story) -> None:
    case = story.open(kind="security", restricted=True)
    until = story.now + timedelta(minutes=30)
    Clearance.objects.create(ticket=case, person=story.stranger, until=until)
    story.forward(minutes=29)
    assert Clearance.every.filter(ticket=case, person=story.stranger).exists()
    story.forward(minutes=2)
    assert not Clearance.every.filter(ticket=case, person=story.stranger).exists()
    assert TimelineEvent.objects.filter(ticket=case, kind="cleared").exists()
