"""Figures as SVG. Presentation attributes only: the style sheet colours them, and no style is inline."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from webvirt.sentences import comma

Points = Sequence[float | None]

# kind: class, width, height of the drawing
LINES = {"row": ("spark", 88, 20), "meter": ("spark", 112, 20), "graph": ("graph", 300, 64)}
HEADROOM = 1.4  # so that a line at the top is not cut in half
WARN, FULL = 90, 98  # percent


Place = tuple[float, float]


def places(points: Points, top: float, width: float, height: float) -> list[Place | None]:
    """Where each point lies, the newest at the right edge; None where nothing is known."""
    step = width / max(len(points) - 1, 1)
    return [
        None
        if point is None
        else (place * step, height - 0.5 - min(max(point / top, 0), 1) * (height - 0.5 - HEADROOM))
        for place, point in enumerate(points)
    ]


def runs(found: Sequence[Place | None]) -> list[list[Place]]:
    """The stretches without a gap."""
    stretches: list[list[Place]] = [[]]
    for place in found:
        if place is not None:
            stretches[-1].append(place)
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]


def curve(stretches: Sequence[Sequence[Place]]) -> str:
    """The path along all stretches. One of a single point is a dot."""
    return "".join(f"M{_along(stretch)}{'' if stretch[1:] else 'h0'}" for stretch in stretches)


def area(stretches: Sequence[Sequence[Place]], height: float) -> str:
    """The path around all that lies below the stretches."""
    long = [stretch for stretch in stretches if stretch[1:]]
    return "".join(f"M{_along(stretch)}V{height}H{stretch[0][0]:.1f}Z" for stretch in long)


def gaps(stretches: Sequence[Sequence[Place]], width: float, height: float) -> str:
    """The path along the bottom wherever nothing is known."""
    starts = [0.0, *(stretch[-1][0] for stretch in stretches)]
    ends = [*(stretch[0][0] for stretch in stretches), width]
    found = [(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
    return "".join(f"M{start:.1f} {height - 0.5}H{end:.1f}" for start, end in found)


def _along(stretch: Sequence[Place]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in stretch)


def lines(
    kind: str, points: Points, second: Points = (), top: float | None = None, data: Mapping[str, str] | None = None
) -> SafeString:
    """One or two lines over time. What is not known is a dotted line at the bottom, which is not zero.

    `top` is the value at the upper edge (by default the largest point). `data` becomes data- attributes.
    figures.js draws the same as values come.
    """
    return _lines(kind, tuple(points), tuple(second), top, tuple((data or {}).items()))


@lru_cache(maxsize=256)  # most of a list's are off, and look the same
def _lines(
    kind: str, points: Points, second: Points, top: float | None, data: tuple[tuple[str, str], ...]
) -> SafeString:
    name, width, height = LINES[kind]
    known = [point for point in (*points, *second) if point is not None]
    scale = top or max(known, default=0) or 1
    first, other = (runs(places(line, scale, width, height)) for line in (points, second))
    drawn = SafeString("")
    if kind == "graph":
        drawn += format_html('<path class="g" d="M0 .5H{0}M0 {1}H{0}M0 {2}H{0}"/>', width, height / 2, height - 0.5)
    for mark, path in (
        ("z", gaps(first, width, height)),
        ("a", area(first, height)),
        ("l", curve(first)),
        ("l l2", curve(other)),
    ):
        if path:
            drawn += format_html('<path class="{}" d="{}"/>', mark, path)
    marks = format_html_join("", ' data-{}="{}"', data)
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true"{}>{}</svg>',
        name, width, height, marks, drawn,
    )  # fmt: skip


def written(points: Points) -> str:
    """Points as figures.js reads them: by spaces, nothing where nothing is known."""
    return " ".join("" if point is None else f"{point:.4g}" for point in points)


def percent(part: float, total: float) -> float:
    return round(min(max(part / total * 100, 0), 100), 1) if total else 0.0


def bar(
    used: float, total: float, *, promised: float | None = None, more: float | None = None, full: bool = False
) -> SafeString:
    """How much of `total` is used, and behind it how much is promised.

    `more` is drawn after what is used: what a guest about to be made would take. With `full` the bar
    turns amber at 90 % and red at 98 %: for what must not run out.
    """
    share = percent(used, total)
    words = [_("%(n)g %% used") % {"n": share}]
    level = "b" if full and share >= FULL else "w" if full and share >= WARN else "u"
    parts = [(level, 0.0, share)]
    if promised is not None:
        parts.insert(0, ("p", 0.0, percent(promised, total)))
        words.append(_("%(n)g %% promised") % {"n": percent(promised, total)})
    if more is not None:
        parts.append(("go", share, percent(more, total)))
        words.append(_("%(n)g %% more") % {"n": percent(more, total)})
    drawn = format_html_join("", '<rect class="{}" x="{}%" width="{}%" height="6"/>', parts)
    return format_html('<svg class="bar" height="6" role="img" aria-label="{}">{}</svg>', comma().join(words), drawn)


def stack(counts: Sequence[tuple[str, int]]) -> SafeString:
    """A bar split by state: (state's class, count) in order, a hair of room between them."""
    total = sum(count for _state, count in counts)
    gap, place, parts = 0.5, 0.0, []
    for state, count in counts:
        if count:
            share = count / total * 100
            parts.append((state, f"{place:.2f}", f"{max(share - gap, 0.5):.2f}"))
            place += share
    drawn = format_html_join("", '<rect class="s-{}" x="{}%" width="{}%" height="8"/>', parts)
    return format_html('<svg class="bar stack" height="8" aria-hidden="true">{}</svg>', drawn)
