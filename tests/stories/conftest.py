"""Every story begins with the same cast on a Monday morning."""

import pytest

pytest.register_assert_rewrite("tests.story")

from tests.story import Story  # noqa: E402  (asserts in it are rewritten first)


@pytest.fixture
def story(db: None) -> Story:
    return Story()
