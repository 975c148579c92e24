"""A figure with its reference, and how figures are written down."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """What was measured beside what it is compared with, both in `unit`.

    `at_least` and `at_most` are bounds on the value, `ratio_at_least` and `ratio_at_most` on value / reference.
    `more` is what else was seen: single samples, sizes.
    """

    name: str
    unit: str
    value: float
    reference_name: str
    reference: float
    at_least: float | None = None
    at_most: float | None = None
    ratio_at_least: float | None = None
    ratio_at_most: float | None = None
    more: dict[str, Any] | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.reference if self.reference else 0.0

    @property
    def goal(self) -> str:
        bounds = (
            ("≥", self.at_least, self.unit),
            ("≤", self.at_most, self.unit),
            ("≥", self.ratio_at_least, "×"),
            ("≤", self.ratio_at_most, "×"),
        )
        return ", ".join(f"{sign} {bound:g} {unit}" for sign, bound, unit in bounds if bound is not None)

    @property
    def met(self) -> bool | None:
        """Whether it is within its bounds; None where it has none."""
        if not self.goal:
            return None
        return (
            (self.at_least is None or self.value >= self.at_least)
            and (self.at_most is None or self.value <= self.at_most)
            and (self.ratio_at_least is None or self.ratio >= self.ratio_at_least)
            and (self.ratio_at_most is None or self.ratio <= self.ratio_at_most)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "value": round(self.value, 3),
            "reference": {"name": self.reference_name, "value": round(self.reference, 3)},
            "ratio": round(self.ratio, 3),
            "goal": self.goal or None,
            "met": self.met,
            "more": self.more or {},
        }


def in_turns(*measures: Callable[[], float], times: int) -> list[list[float]]:
    """What each returns, asked in turns to and fro, so that whatever else the machine does meets all of them."""
    found: list[list[float]] = [[] for _ in measures]
    order = list(zip(measures, found, strict=True))
    for _ in range(times):
        for measure, into in order:
            into.append(measure())
        order.reverse()
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def table(figures: Sequence[Figure]) -> str:
    """The figures as text, one a line."""
    head = ("figure", "value", "reference", "", "ratio", "goal", "")
    marks = {True: "met", False: "MISSED", None: ""}
    rows = [
        (
            one.name,
            f"{one.value:.4g} {one.unit}",
            f"{one.reference:.4g} {one.unit}",
            one.reference_name,
            f"{one.ratio:.2f}",
            one.goal,
            marks[one.met],
        )
        for one in figures
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def written(figures: Sequence[Figure], about: dict[str, Any]) -> str:
    """The figures and what the run was like, as JSON."""
    return json.dumps({**about, "figures": [one.as_json() for one in figures]}, indent=2, ensure_ascii=False) + "\n"
