"""The pieces of pages that every page has, or has many times: drawn by Jinja2, which takes a fifth of the time.

They lie in folders `jinja2/`. Django's templates draw one by `{% piece "pieces/nav.html" %}`; views render one by its
name as they do any template. They know the tags of `webvirt.templatetags.webvirt` as functions and filters.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.templatetags.static import static
from django.utils.translation import get_language, get_language_info, gettext
from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from webvirt import sentences

CSRF_FIELD = Markup('<input type="hidden" name="csrfmiddlewaretoken" value="%s">')


def environment(**options: Any) -> Environment:
    """What Django's Jinja2 engine draws with. A name that nobody gave is an error."""
    from webvirt.templatetags import webvirt as tags  # noqa: PLC0415 - which draw pieces themselves

    options.update(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made = Environment(**options)  # noqa: S701 - Django's engine asks for autoescape
    made.globals.update(
        _=gettext,
        blank=sentences.blank,
        csrf_field=csrf_field,
        figure=tags.figure,
        icon=tags.icon,
        idempotency_key=tags.idempotency_key,
        language=get_language,
        languages=languages,
        query_with=tags.query_with,
        reading=tags.reading,
        spark=tags.spark,
        state=tags.state,
        static=cache(static),
        task_mark=tags.task_mark,
        url=tags.address,
    )
    made.filters.update(ago=tags.ago, exact_size=tags.exact_size)
    return made


def template(name: str) -> Template:
    return cast("Jinja2", engines["pieces"]).env.get_template(name)


def draw(name: str, context: dict[str, Any]) -> str:
    """Draw the piece of this name, safe to be put into a page."""
    return Markup(template(name).render(context))  # noqa: S704 - it is escaped


def macro(name: str, macro: str) -> Callable[..., str]:
    """A macro of the piece of this name."""
    found: Callable[..., str] = getattr(template(name).module, macro)
    return found


def csrf_field(token: Any) -> Markup:
    return CSRF_FIELD % str(token)


@cache
def languages() -> list[tuple[str, str]]:
    """The languages' codes, with the name that each gives itself."""
    return [(code, get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]
