"""The suite; its folders mirror the modules they test."""

import pytest

pytest.register_assert_rewrite("tests.story")
