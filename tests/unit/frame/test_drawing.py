from lxml import etree

from webvirt import drawing


def rects(svg: str) -> list[tuple[str, str, str]]:
    return [(rect.get("class"), rect.get("x"), rect.get("width")) for rect in etree.fromstring(svg).iter("rect")]


def paths(svg: str) -> dict[str, str]:
    return {path.get("class"): path.get("d") for path in etree.fromstring(svg).iter("path") if path.get("class") != "g"}


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
    assert paths(drawing.lines("row", [0, 100, None, 50], top=100)) == {
        "z": "M29.3 19.5H88.0",
        "a": "M0.0 19.5L29.3 1.4V20H0.0Z",
        "l": "M0.0 19.5L29.3 1.4M88.0 10.4h0",
    }


def test_a_line_that_has_just_begun_stands_at_the_right() -> None:
    drawn = paths(drawing.lines("row", [None] * 57 + [10, 20, 30], top=100))
    assert drawn["z"] == "M0.0 19.5H85.0"
    assert drawn["l"].startswith("M85.0 ")
    assert drawn["l"].split("L")[-1].startswith("88.0 ")


def test_a_second_line_has_a_scale_with_the_first() -> None:
    drawn = paths(drawing.lines("graph", [0, 50], [0, 100]))
    assert drawn["l"].endswith("L300.0 32.5")
    assert drawn["l l2"].endswith("L300.0 1.4")


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
