"""Pieces drawn by Jinja2 escape what they are given, speak the reader's language, and know what they were not given."""

import pytest
from django.template import Context, Template
from django.utils import translation
from jinja2 import UndefinedError

from instances.actions import START
from instances.models import Instance
from tests.unit.world import World

BAD = "<b>\"&'"
ESCAPED = ("&lt;b&gt;&#34;&amp;&#39;", "&lt;b&gt;&quot;&amp;&#x27;")


def test_names_are_escaped_everywhere_in_a_row(world: World) -> None:
    Instance.objects.filter(pk=world.instance.pk).update(name=BAD, title=BAD, tags=[BAD])
    page = world.client("manager").get("/instances/").content.decode()
    assert BAD not in page
    assert sum(page.count(escaped) for escaped in ESCAPED) >= 6


def test_a_button_speaks_the_language_of_whoever_reads(world: World) -> None:
    button = Template('{% load guests %}{% verb_button guest verb "btn" %}')
    context = Context({"guest": world.instance, "verb": START})
    said = []
    for language in ("en", "zh-hans", "en"):
        with translation.override(language):
            said.append(button.render(context))
    assert "Starting web-1…" in said[0]
    assert said[0] == said[2] != said[1]


def test_what_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="tags"):
        Template('{% piece "instances/_tags.html" %}').render(Context())
