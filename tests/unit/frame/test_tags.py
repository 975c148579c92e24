import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


def thing(state: str, word: str, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(state=state, get_state_display=lambda: word, **more)


def test_an_icon_points_into_the_sprite() -> None:
    html = render('{% icon "player-play" %}')
    assert "webvirt/icons.svg#i-player-play" in html
    assert 'aria-hidden="true"' in html


def test_an_icon_that_the_sprite_lacks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no-such-icon"):
        render('{% icon "no-such-icon" %}')


def test_a_state_has_a_shape_and_a_word() -> None:
    assert render("{% state it %}", it=thing("shutting_down", "Shutting down")) == (
        '<span class="st st-stop">Shutting down</span>'
    )


def test_a_guest_on_a_silent_host_says_since_when() -> None:
    since = timezone.now() - timedelta(days=2)
    html = render("{% state it %}", it=thing("running", "Running", stale_since=since))
    assert "st-lost" in html
    assert "Running, not heard since <time" in html
    assert f"{since:%Y-%m-%d %H:%M}" in html


def test_words_of_a_state_are_escaped() -> None:
    assert "<b>" not in render("{% state it %}", it=thing("running", "<b>"))


def test_what_is_not_known_is_a_dash() -> None:
    for source in (
        "{{ none|size }}",
        "{{ none|ago }}",
        "{% size_of none 3 %}",
        "{% bar none 3 %}",
        "{{ none|duration }}",
    ):
        assert render(source, none=None) == '<span class="soft">–</span>'


def test_a_live_line_carries_its_points() -> None:
    html = render('{% spark points figure="instance:7:cpu_percent" %}', points=[1.5, None, 3])
    assert 'data-figure="instance:7:cpu_percent"' in html
    assert 'data-points="1.5  3"' in html
    assert re.search(r'data-minute="\d{8}"', html)


def test_two_live_lines_share_a_drawing() -> None:
    html = render('{% graph points more figure="instance:7:net_rx_rate" second_figure="instance:7:net_tx_rate" %}',
                  points=[1, 2], more=[3, None])  # fmt: skip
    assert 'data-second="net_tx_rate" data-second-points="3 "' in html
    assert "data-top" not in html


def with_request(source: str, path: str) -> str:
    return render(source, request=RequestFactory().get(path))


def test_a_filter_keeps_the_rest_of_the_query_and_leaves_the_page() -> None:
    html = with_request('{% with_query "state" "running" %}', "/?q=a%26b&state=paused&page=3")
    assert html == "?q=a%26b&amp;state=running"


def test_a_filter_can_be_taken_away() -> None:
    assert with_request('{% with_query "state" %}', "/?state=paused") == "?"


def test_a_sorted_column_says_so_and_turns_around() -> None:
    html = with_request('{% sort_th "name" "Name" default="name" %}', "/")
    assert 'aria-sort="ascending"' in html
    assert 'href="?sort=-name"' in html
    html = with_request('{% sort_th "name" "Name" default="name" %}', "/?sort=-name")
    assert 'aria-sort="descending"' in html
    assert 'href="?sort=name"' in html
