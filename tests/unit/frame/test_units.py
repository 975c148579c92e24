from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from webvirt import units

GIB = 1024**3


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (512, "512 B"),
        (1023.9 * 1024, "1.00 MiB"),
        (631 * 1024**2, "631 MiB"),
        (3994319585, "3.72 GiB"),
        (17.44 * GIB, "17.4 GiB"),
        (99.96 * GIB, "100 GiB"),
        (1.2 * 1024 * GIB, "1.20 TiB"),
        (5 * 1024**6, "5120 PiB"),
    ],
)
def test_it_writes_sizes_with_three_figures(count: float, words: str) -> None:
    assert units.size(count) == words


@pytest.mark.parametrize(("count", "words"), [(8 * GIB, "8 GiB"), (1.5 * GIB, "1.5 GiB"), (0, "0 B")])
def test_it_writes_chosen_sizes_as_they_were_chosen(count: float, words: str) -> None:
    assert units.size(count, exact=True) == words


def test_it_writes_a_part_in_the_unit_of_the_whole() -> None:
    assert units.size_of(0.44 * 1024 * GIB, 1.75 * 1024 * GIB) == "0.44 of 1.75 TiB"
    assert units.size_of(0, 250 * GIB) == "0 of 250 GiB"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3.4, "3.4 s"), (5, "5 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (7260, "2 h 1 min"), (187200, "2 d 4 h")],
)
def test_it_writes_durations_in_at_most_two_units(seconds: float, words: str) -> None:
    assert units.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "just now"), (42, "42 s ago"), (125, "2 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")],
)
def test_it_says_how_long_ago(seconds: float, words: str) -> None:
    assert units.ago(timezone.now() - timedelta(seconds=seconds)) == words


def test_it_writes_the_date_of_what_was_long_ago() -> None:
    assert units.ago(datetime(2026, 1, 2, 12, tzinfo=UTC)) == "2026-01-02"
