"""What templates draw with. Built in: no `{% load %}` is needed."""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from markupsafe import Markup

from webvirt import drawing, pieces, sentences, units
from webvirt.icons import NAMES

register = template.Library()

# Markup escapes what is put into it as format_html does, in a fifth of the time: for what a list has hundreds of.
FIGURE = Markup('<span data-figure="%s" data-format="%s">%s</span>')
KEY = Markup('<input type="hidden" name="idempotency_key" value="%s">')

DASH = format_html('<span class="soft">{}</span>', "–")

# the formats of figures, as format.js has them
FORMATS: dict[str, Callable[[float], str]] = {
    "percent": units.percent,
    "bytes": units.size,
    "rate": units.rate,
    "bits": units.bits,
}

STATE_CLASSES = {
    "running": "run",
    "up": "run",
    "active": "run",
    "succeeded": "ok",
    "paused": "pause",
    "shutoff": "off",
    "inactive": "off",
    "cancelled": "off",
    "shutting_down": "stop",
    "crashed": "crash",
    "suspended": "sleep",
    "unknown": "lost",
    "connecting": "wait",
    "queued": "wait",
    "building": "wait",
    "down": "down",
    "refused": "down",
    "degraded": "bad",
    "inaccessible": "bad",
    "failed": "bad",
    "interrupted": "bad",
}

# a task's state: icon, class
TASK_MARKS = {
    "queued": ("clock", "soft"),
    "running": ("loader-2", "soft"),
    "succeeded": ("check", "good"),
    "failed": ("alert-triangle", "bad"),
    "cancelled": ("ban", "soft"),
    "interrupted": ("alert-triangle", "bad"),
}


register.simple_tag(sentences.blank, name="blank")
register.simple_tag(sentences.comma, name="comma")


@register.simple_tag
@cache  # a list has hundreds, of a dozen kinds
def icon(name: str, classes: str = "") -> SafeString:
    """`{% icon "player-play" %}`: decoration; the control around it carries the name."""
    if name not in NAMES:
        raise ValueError(f"the sprite has no icon {name!r}: add it to webvirt/icons.py")
    return format_html(
        '<svg class="ti {}" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        classes, static("webvirt/icons.svg"), name,
    )  # fmt: skip


@register.filter
def state_class(value: str) -> str:
    """The shape of a state: the XX of `st-XX` and `s-XX`."""
    return STATE_CLASSES.get(value, "lost")


@register.simple_tag
def state(thing: Any) -> SafeString:
    """A row's state as shape and word. Reads `state`, `get_state_display()` and, where there is one, `stale_since`."""
    since = getattr(thing, "stale_since", None)
    word = thing.get_state_display()
    if since is None:
        return state_mark(thing.state, word)
    return format_html('<span class="st st-lost"><span>{}{}{}</span></span>', word, sentences.comma(), not_heard(since))


@lru_cache(maxsize=1024)
def state_mark(state: str, word: str) -> SafeString:
    return format_html('<span class="st st-{}">{}</span>', state_class(state), word)


def not_heard(since: datetime) -> SafeString:
    return timed(_("not heard since %(time)s"), since)


def timed(words: str, moment: datetime) -> SafeString:
    """A sentence with the moment at its `%(time)s`."""
    before, after = words.split("%(time)s")
    return format_html("{}{}{}", before, clock(moment), after)


@register.simple_tag
def reading(thing: Any) -> SafeString:
    """A note on a guest, pool or network while its host's definitions are being read: of when it is at least."""
    status = thing.host.status
    if not getattr(thing, "is_defined", True):
        words = _("not read yet")
    elif not status.reads_definitions:
        return SafeString("")
    elif status.synced_at is None:
        words = _("being read")
    else:
        words = timed(_("as read at %(time)s or later"), status.synced_at)
    return format_html('<span class="soft note-in reading">{}</span>', words)


@register.simple_tag
def task_mark(task: Any) -> SafeString:
    """A task's state as an icon, for rows that say the rest in words."""
    name, tone = TASK_MARKS[task.state]
    return format_html(
        '<span class="{}" title="{}">{}<span class="visually-hidden">{}</span></span>',
        tone, task.get_state_display(), icon(name, "spin" if task.state == "running" else ""), task.get_state_display(),
    )  # fmt: skip


@register.filter
def size(count: float | None) -> str | SafeString:
    """Bytes with three significant figures: `3.72 GiB`."""
    return DASH if count is None else units.size(count)


@register.filter
def exact_size(count: float | None) -> str | SafeString:
    """Bytes that somebody chose: `8 GiB`."""
    return DASH if count is None else units.size(count, exact=True)


@register.simple_tag
def size_of(count: float | None, total: float | None) -> str | SafeString:
    """Bytes out of a total: `17.4 of 250 GiB`."""
    return DASH if count is None or total is None else units.size_of(count, total)


@register.filter
def duration(seconds: float | None) -> str | SafeString:
    return DASH if seconds is None else units.duration(seconds)


@register.filter
def ago(moment: datetime | None) -> SafeString:
    """`2 min ago`, the moment itself on hover; the page keeps it true."""
    return DASH if moment is None else moment_tag(moment, "ago", units.ago(moment))


@register.filter
def clock(moment: datetime | None) -> SafeString:
    """The time of day, or the date too when that was not today; the moment itself on hover."""
    if moment is None:
        return DASH
    local = timezone.localtime(moment)
    today = local.date() == timezone.localdate()
    return moment_tag(moment, "clock", formats.date_format(local, "H:i" if today else "Y-m-d H:i"))


def moment_tag(moment: datetime, kind: str, words: str) -> SafeString:
    exact = formats.date_format(timezone.localtime(moment), "Y-m-d H:i:s")
    return format_html(
        '<time datetime="{}" title="{}" data-time="{}">{}</time>', moment.isoformat(), exact, kind, words
    )


@register.simple_tag
def figure(name: str, value: float | None, format: str) -> Markup:
    """A figure that follows the live channel: `figure "instance:7:cpu_percent" 12.5 "percent"` (bytes, rate, bits)."""
    words = "–" if value is None else FORMATS[format](value)
    return FIGURE % (name, format, words)


@register.simple_tag
def idempotency_key() -> Markup:
    """The hidden field that makes a press repeated by a browser, or by an impatient person, one change."""
    return KEY % secrets.token_hex(16)


@register.simple_tag
def bar(
    used: float | None,
    total: float | None,
    promised: float | None = None,
    more: float | None = None,
    full: bool = False,
) -> SafeString:
    """How much of `total` is used; see drawing.bar. A dash where either is not known."""
    if used is None or total is None:
        return DASH
    return drawing.bar(used, total, promised=promised, more=more, full=full)


@register.simple_tag
def stack(counts: Sequence[tuple[str, int]]) -> SafeString:
    """Objects by state: pairs of a state and its count."""
    return drawing.stack([(state_class(value), count) for value, count in counts])


@register.simple_tag
def spark(points: drawing.Points, top: float = 100, kind: str = "row", figure: str = "") -> SafeString:
    """A small line over time; `figure="instance:7:cpu_percent"` lets the page draw on as values come."""
    return drawing.lines(kind, points, top=top, data=followed(points, (), top, figure, ""))


@register.simple_tag
def graph(
    points: drawing.Points,
    second: drawing.Points = (),
    top: float | None = None,
    figure: str = "",
    second_figure: str = "",
) -> SafeString:
    """A large line over time, and a second dashed one; both follow the channel as a spark does."""
    return drawing.lines("graph", points, second, top, followed(points, second, top, figure, second_figure))


def followed(
    points: drawing.Points, second: drawing.Points, top: float | None, figure: str, second_figure: str
) -> dict[str, str]:
    """What figures.js needs to draw on: the points, and the minute (since the epoch) of the last one."""
    if not figure:
        return {}
    data = {"figure": figure, "format": "lines", "minute": str(int(time.time()) // 60)}
    data["points"] = drawing.written(points)
    if top:
        data["top"] = f"{top:g}"
    if second_figure:
        data["second"] = second_figure.rpartition(":")[2]
        data["second-points"] = drawing.written(second)
    return data


@register.simple_tag(takes_context=True)
def with_query(context: Context, name: str, value: Any = None) -> str:
    """The page's own query string with `name` set to `value` (None: without it), back on the first page."""
    return query_with(context["request"], name, value)


def query_with(request: HttpRequest, name: str, value: Any = None) -> str:
    left_out = {"page", "block", "ids", name}
    query = [(key, one) for key, values in request.GET.lists() if key not in left_out for one in values]
    if value not in (None, ""):
        query.append((name, str(value)))
    return f"?{urlencode(query)}"


@register.simple_tag
@lru_cache(maxsize=16384)
def address(view: str, pk: int | None = None) -> str:
    """`{% url view pk %}` for what every page has, or has many times: an address never changes."""
    return reverse(view, args=[] if pk is None else [pk])


@register.simple_tag(takes_context=True)
def piece(context: Context, name: str, /, **more: Any) -> str:
    """`{% include name with … %}` for what is drawn by Jinja2 (webvirt/pieces.py)."""
    shown: dict[Any, Any] = context.flatten()
    return pieces.draw(name, shown | more)


@register.simple_tag(takes_context=True)
def sort_th(context: Context, key: str, label: str, classes: str = "", default: str = "") -> str:
    """A column's head that sorts by `?sort=key`, and by `-key` when pressed again. `default`: the list's own order."""
    request = context["request"]
    current = request.GET.get("sort") or default
    up, down = current == key, current == f"-{key}"
    shown = {
        "label": label,
        "classes": classes,
        "sorted": "ascending" if up else "descending" if down else "",
        "url": query_with(request, "sort", f"-{key}" if up else key),
    }
    return pieces.draw("pieces/sort_th.html", shown)
