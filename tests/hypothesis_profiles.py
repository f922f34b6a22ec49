"""Registers how hard the property tests try; HYPOTHESIS_PROFILE chooses, ci by default."""

import os

from hypothesis import HealthCheck, settings

# Each of the four working-time properties runs over five zones: 4 x 5 x 100 = 2,000 cases.
settings.register_profile(
    "ci", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", parent=settings.get_profile("ci"), max_examples=1000)


def choose_profile() -> str:
    """Load the profile that the environment names, and return its name."""
    name = os.environ.get("HYPOTHESIS_PROFILE", "ci")
    settings.load_profile(name)
    return name
