"""Speed and time left, in words."""

import pytest

from storage import pace
from storage.pace import Pace

GIB = 1024**3


def test_it_tells_the_speed_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 20.0, 21.0])
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    going = Pace(4 * GIB)
    assert going.at(0) == (0, "0 of 4.00 GiB")
    going.at(GIB)
    percent, words = going.at(2 * GIB)
    assert percent == 50
    assert words == "2.00 of 4.00 GiB · 1.00 GiB/s · 2 s left"
