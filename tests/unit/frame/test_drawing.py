from lxml import etree

from webvirt import drawing


def rects(svg: str) -> list[tuple[str, str, str]]:
    return [(rect.get("class"), rect.get("x"), rect.get("width")) for rect in etree.fromstring(svg).iter("rect")]


def test_a_bar_shows_what_is_promised_behind_what_is_used() -> None:
    svg = drawing.bar(171, 256, promised=224)
    assert rects(svg) == [("p", "0.0%", "87.5%"), ("u", "0.0%", "66.8%")]
    assert etree.fromstring(svg).get("aria-label") == "66.8 % used, 87.5 % promised"


def test_a_bar_warns_before_what_must_not_run_out_does() -> None:
    assert [rects(drawing.bar(used, 100, full=True))[0][0] for used in (50, 90, 98)] == ["u", "w", "b"]
    assert rects(drawing.bar(99, 100))[0][0] == "u"


def test_a_bar_never_leaves_its_place() -> None:
    assert rects(drawing.bar(300, 100)) == [("u", "0.0%", "100%")]
    assert rects(drawing.bar(1, 0)) == [("u", "0.0%", "0.0%")]


def test_a_bar_shows_what_would_be_taken_after_what_is_used() -> None:
    assert rects(drawing.bar(50, 100, more=25))[1] == ("go", "50.0%", "25.0%")


def test_a_line_breaks_where_nothing_is_known() -> None:
    assert drawing.curve([0, 100, None, 50], 100, 30, 20) == "M0.0 19.5L10.0 1.4M30.0 10.4"


def test_a_line_without_points_is_dotted_and_not_zero() -> None:
    svg = drawing.lines("row", [None, None])
    assert 'class="z"' in svg
    assert 'class="l"' not in svg


def test_states_share_a_bar_by_their_counts() -> None:
    assert rects(drawing.stack([("run", 3), ("off", 1), ("crash", 0)])) == [
        ("s-run", "0.00%", "74.50%"),
        ("s-off", "75.00%", "24.50%"),
    ]


def test_no_drawing_carries_an_inline_style() -> None:
    for svg in (drawing.bar(1, 2), drawing.lines("graph", [1, 2], [2, 1]), drawing.stack([("run", 1)])):
        assert "style" not in svg
