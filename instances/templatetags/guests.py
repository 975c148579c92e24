"""What the templates of guests say about one by name."""

import posixpath
from functools import lru_cache

from django import template
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

from instances.actions import Verb
from instances.models import Instance
from webvirt.templatetags.webvirt import icon

register = template.Library()


@register.filter
def basename(path: str) -> str:
    return posixpath.basename(path)


@register.filter
def about(words: str | Promise, name: str) -> str:
    """`verb.doing|about:guest.name`: 'Starting web-3…'."""
    return str(words) % {"name": name}


@register.simple_tag
@lru_cache(maxsize=16384)
def address(view: str, pk: int) -> str:
    """`{% url view pk %}` for lists, which have hundreds of them: an address never changes."""
    return reverse(view, args=[pk])


@register.simple_tag
def verb_button(guest: Instance, verb: Verb, classes: str, bare: bool = False) -> SafeString:
    """A button that asks for one change of a guest, inside a form with data-action-form; `bare` is an icon alone."""
    label = str(verb.label)
    return format_html(
        '<button class="{}{}" type="submit" formaction="{}" data-toast="{}" data-toast-done="{}"{}>{}{}</button>',
        classes,
        " bad" if verb.harsh else "",
        address(f"instances:{verb.name}", guest.pk),
        about(verb.doing, guest.name),
        about(verb.done, guest.name),
        format_html(' aria-label="{0}" title="{0}"', label) if bare else "",
        icon(verb.icon),
        "" if bare else label,
    )
