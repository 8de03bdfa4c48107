"""What all tests share: how property tests run, and the jurisdictions that whole-pipeline tests run once."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples in every run: a red test must be red again for the person who looks into it. No deadline:
# the machine may be busy with a build.
settings.register_profile(
    "junheng", deadline=None, derandomize=True, print_blob=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("junheng")
