"""Every story begins with the same cast on a Monday morning."""

import pytest

from tests.story import Story


@pytest.fixture
def story(db: None) -> Story:
    return Story()
