"""What the templates of guests say about one by name."""

import posixpath

from django import template
from django.utils.functional import Promise

from instances.actions import Verb
from instances.models import Instance
from webvirt import pieces

register = template.Library()


@register.filter
def basename(path: str) -> str:
    return posixpath.basename(path)


@register.filter
def about(words: str | Promise, name: str) -> str:
    """`verb.doing|about:guest.name`: 'Starting web-3…'."""
    return str(words) % {"name": name}


@register.simple_tag
def verb_button(guest: Instance, verb: Verb, classes: str, bare: bool = False) -> str:
    """A button that asks for one change of a guest, inside a form with data-action-form; `bare` is an icon alone."""
    return pieces.macro("instances/_verbs.html", "verb_button")(guest, verb, classes, bare)
