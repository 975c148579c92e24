"""What the templates of guests say about one by name."""

import posixpath

from django import template
from django.utils.functional import Promise

register = template.Library()


@register.filter
def basename(path: str) -> str:
    return posixpath.basename(path)


@register.filter
def about(words: str | Promise, name: str) -> str:
    """`verb.doing|about:guest.name`: 'Starting web-3…'."""
    return str(words) % {"name": name}
