"""Numbers with their units, as people read them."""

from datetime import datetime, timedelta

from django.utils import formats, timezone
from django.utils.translation import gettext as _

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
BITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
DAY = 86_400


def unit_of(count: float) -> int:
    """The power of 1024 whose unit leaves `count` bytes below 1024 of it."""
    power = 0
    while abs(round(count / 1024**power)) >= 1024 and power < len(UNITS) - 1:
        power += 1
    return power


def digits(value: float) -> str:
    """Three significant figures, and all of those before the point."""
    if value == 0:
        return "0"
    places = 2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0
    return f"{value:.{places}f}"


def size(count: float, *, exact: bool = False) -> str:
    """Bytes in words: `3.72 GiB`; with `exact`, for sizes somebody chose, `8 GiB` and `1.5 GiB`."""
    power = unit_of(count)
    value = count / 1024**power
    words = f"{value:.2f}".rstrip("0").rstrip(".") if exact else digits(value) if power else f"{value:.0f}"
    return f"{words} {UNITS[power]}"


def size_of(count: float, total: float) -> str:
    """Bytes out of a total in the total's unit: `17.4 of 250 GiB`."""
    power = unit_of(total)
    words = {"count": digits(count / 1024**power), "total": digits(total / 1024**power), "unit": UNITS[power]}
    return _("%(count)s of %(total)s %(unit)s") % words


def rate(count: float) -> str:
    """Bytes per second: `5.40 MiB/s`."""
    return f"{size(count)}/s"


def bits(count: float) -> str:
    """Bytes per second in bits, as networks are measured: `41.0 Mbit/s`."""
    value, power = count * 8, 0
    while round(value / 1000**power) >= 1000 and power < len(BITS) - 1:
        power += 1
    return f"{digits(value / 1000**power) if power else f'{value:.0f}'} {BITS[power]}"


def percent(value: float) -> str:
    return f"{value:.0f} %"


def duration(seconds: float) -> str:
    """Seconds in at most two units: `3.4 s`, `2 min 5 s`, `2 d 4 h`."""
    if seconds < 10:
        return _("%(n)s s") % {"n": f"{seconds:.1f}".removesuffix(".0")}
    whole = round(seconds)
    days, hours, minutes = whole // DAY, whole // 3600 % 24, whole // 60 % 60
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)d s") % {"minutes": minutes, "seconds": whole % 60}
    return _("%(n)s s") % {"n": whole}


def ago(moment: datetime) -> str:
    """How long ago, coarsely; the date when that was a week or more. The page keeps it true afterwards."""
    past = timezone.now() - moment
    if past < timedelta(seconds=10):
        return _("just now")
    if past < timedelta(minutes=1):
        return _("%(n)d s ago") % {"n": past.seconds}
    if past < timedelta(hours=1):
        return _("%(n)d min ago") % {"n": past.seconds // 60}
    if past < timedelta(days=1):
        return _("%(n)d h ago") % {"n": past.seconds // 3600}
    if past < timedelta(days=7):
        return _("%(n)d d ago") % {"n": past.days}
    return formats.date_format(timezone.localtime(moment), "Y-m-d")
