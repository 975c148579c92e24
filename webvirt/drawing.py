"""Figures as SVG. Presentation attributes only: the style sheet colours them, and no style is inline."""

from collections.abc import Mapping, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

Points = Sequence[float | None]

# kind: class, width, height of the drawing
LINES = {"row": ("spark", 88, 20), "meter": ("spark", 112, 20), "graph": ("graph", 300, 64)}
HEADROOM = 1.4  # so that a line at the top is not cut in half
WARN, FULL = 90, 98  # percent


def curve(points: Points, top: float, width: float, height: float) -> str:
    """The path of a line through `points`, oldest first; a gap where a point is None."""
    step = width / max(len(points) - 1, 1)
    path, pen = [], "M"
    for place, point in enumerate(points):
        if point is None:
            pen = "M"
            continue
        share = min(max(point / top, 0), 1) if top else 0
        path.append(f"{pen}{place * step:.1f} {height - 0.5 - share * (height - 0.5 - HEADROOM):.1f}")
        pen = "L"
    return "".join(path)


def lines(
    kind: str, points: Points, second: Points = (), top: float | None = None, data: Mapping[str, str] | None = None
) -> SafeString:
    """One or two lines over time. Without any point, a dotted line: not known, which is not zero.

    `top` is the value at the upper edge (by default the largest point). `data` becomes data- attributes.
    """
    name, width, height = LINES[kind]
    known = [point for point in (*points, *second) if point is not None]
    top = top or max(known, default=0) or 1
    marks = format_html_join("", ' data-{}="{}"', (data or {}).items())
    grid = format_html('<path class="g" d="M0 .5H{0}M0 {1}H{0}M0 {2}H{0}"/>', width, height / 2, height - 0.5)
    drawn = grid if kind == "graph" else SafeString("")
    line = curve(points, top, width, height)
    if not known:
        drawn += format_html('<path class="z" d="M0 {}H{}"/>', height - 0.5, width)
    elif None in points:
        drawn += format_html('<path class="l" d="{}"/>', line)
    elif points:
        drawn += format_html('<path class="a" d="{}V{}H0Z"/><path class="l" d="{}"/>', line, height, line)
    if any(point is not None for point in second):
        drawn += format_html('<path class="l l2" d="{}"/>', curve(second, top, width, height))
    return format_html(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true"{}>{}</svg>',
        name, width, height, marks, drawn,
    )  # fmt: skip


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
    return format_html('<svg class="bar" height="6" role="img" aria-label="{}">{}</svg>', ", ".join(words), drawn)


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
