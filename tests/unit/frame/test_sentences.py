"""What stands between words and sentences, as each language has it."""

import re
from html import unescape

import pytest
from django.utils import translation

from hosts.models import Host
from instances.models import Instance
from storage.models import Upload
from tasks.models import Task
from tests.unit.test_urls_and_roles import PAGES, address
from tests.unit.world import HEARD, World
from webvirt.sentences import blank, comma, listed

CHINESE = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
# A half-width comma in a Chinese sentence, or a blank after its end.
STRANGE = re.compile(f"{CHINESE}, |, {CHINESE}|[。！？] +{CHINESE}")


@pytest.mark.parametrize(
    ("language", "between", "words"), [("en", (" ", ", "), "a, b"), ("zh-hans", ("", "，"), "a、b")]
)
def test_each_language_has_its_own(language: str, between: tuple[str, str], words: str) -> None:
    with translation.override(language):
        assert (blank(), comma()) == between
        assert listed(["a", "b"]) == words


def text_of(html: str) -> str:
    """What is read, a line for each block of the page."""
    inline = re.sub(r"</?(b|span|a|time|code|i|svg|use)\b[^>]*>", "", html)
    return unescape(re.sub(r"<[^>]*>", "\n", inline))


@pytest.mark.parametrize("route", PAGES)
def test_chinese_pages_have_neither_the_blanks_nor_the_commas_of_english(world: World, route: str) -> None:
    world.host_is_down()
    Host.objects.update(uri="qemu+ssh://webvirt@kvm-01/system")
    Instance.objects.update(state=Instance.State.RUNNING)
    Task.objects.update(ended_at=HEARD)
    page = world.client("admin").get(address(route, world, Upload()), headers={"Accept-Language": "zh-CN"})
    text = text_of(page.content.decode())
    assert [line.strip() for line in text.splitlines() if STRANGE.search(line)] == []
