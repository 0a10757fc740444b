from __future__ import annotations

import pytest

from learnact.models.limits.headers import RateHeaders, rate_headers, reset_seconds
from learnact.models.limits.messages import ServerQuota


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("1s", 1.0),
        ("20ms", 0.02),
        ("1h2m3.5s", 3723.5),
        ("2d", 172_800.0),
        ("7.66s", 7.66),
        ("59", 59.0),
        ("", None),
        ("soon", None),
        ("-3s", None),
        ("1s2", None),
        ("nan", None),
    ],
)
def test_reset_times_as_servers_write_them(text: str, seconds: float | None) -> None:
    assert reset_seconds(text) == (None if seconds is None else pytest.approx(seconds))


def test_the_headers_of_openai_are_read() -> None:
    found = rate_headers(
        {
            "x-ratelimit-limit-requests": "600",
            "x-ratelimit-remaining-requests": "599",
            "x-ratelimit-reset-requests": "100ms",
            "x-ratelimit-limit-tokens": "60000",
            "x-ratelimit-remaining-tokens": "58000",
            "x-ratelimit-reset-tokens": "2s",
        }
    )
    assert found == RateHeaders(ServerQuota(600, 599, 0.1), ServerQuota(60_000, 58_000, 2.0))


def test_headers_that_make_no_sense_say_nothing() -> None:
    odd = {
        "x-ratelimit-limit-requests": "x",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "1",
    }
    assert rate_headers(odd) == RateHeaders()
    assert rate_headers({}) == RateHeaders()
