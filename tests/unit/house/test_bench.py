"""How the benches count and judge."""

import pytest

from bench.figures import Figure, in_turns, median, p95, table


def figure(value: float, reference: float, **bounds: float) -> Figure:
    return Figure("a page", "ms", value, "a small page", reference, **bounds)


@pytest.mark.parametrize(
    ("value", "reference", "bounds", "met"),
    [
        (40, 20, {}, None),
        (40, 20, {"at_most": 50}, True),
        (60, 20, {"at_most": 50}, False),
        (60, 20, {"at_least": 50, "ratio_at_most": 2}, False),
        (90, 100, {"ratio_at_least": 0.9}, True),
        (89, 100, {"ratio_at_least": 0.9}, False),
    ],
)
def test_a_figure_is_held_to_its_bounds(
    value: float, reference: float, bounds: dict[str, float], met: bool | None
) -> None:
    assert figure(value, reference, **bounds).met is met
    assert figure(value, reference, **bounds).as_json()["ratio"] == value / reference


def test_what_is_compared_is_asked_to_and_fro() -> None:
    asked: list[str] = []

    def ask(name: str) -> float:
        asked.append(name)
        return float(len(asked))

    assert in_turns(lambda: ask("ours"), lambda: ask("theirs"), times=2) == [[1, 4], [2, 3]]
    assert asked == ["ours", "theirs", "theirs", "ours"]


def test_the_middle_and_the_slow_end_are_told() -> None:
    assert (median(range(1, 101)), p95(range(1, 101)), p95([7.0])) == (50.5, 95, 7.0)


def test_the_table_names_what_was_missed() -> None:
    written = table([figure(60, 20, at_most=50), figure(10, 20, at_most=50)])
    assert [line.rsplit(None, 1)[-1] for line in written.splitlines()[1:]] == ["MISSED", "met"]
