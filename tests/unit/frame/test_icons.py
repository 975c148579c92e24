from django.conf import settings
from lxml import etree

from webvirt.icons import NAMES, SVG, sprite


def test_the_sprite_holds_every_name_and_leaves_its_look_to_the_page() -> None:
    root = etree.fromstring(sprite(settings.NODE / "@tabler" / "icons" / "icons" / "outline"))
    symbols = root.findall(f"{{{SVG}}}symbol")
    assert {symbol.get("id") for symbol in symbols} == {f"i-{name}" for name in NAMES}
    assert all(len(symbol) for symbol in symbols)
    assert not root.xpath("//@stroke | //@style")
