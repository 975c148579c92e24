"""What the templates of guests say about one by name."""

from django import template
from django.utils.functional import Promise

register = template.Library()


@register.filter
def about(words: str | Promise, name: str) -> str:
    """`verb.doing|about:guest.name`: 'Starting web-3…'."""
    return str(words) % {"name": name}
