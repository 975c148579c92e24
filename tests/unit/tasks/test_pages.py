"""The pages of tasks: what a person reads, finds and cancels."""

import re
from typing import Any

import pytest

from tasks.models import LogLine, Task
from tests.unit.world import World, make_instance, make_task

ERROR = {
    "title": "Not enough room", "detail": "There is no room for %(what)s.", "hint": "Free some.",
    "params": {"what": "<b>it</b>"}, "libvirt": "virError <38>", "code": "no_room",
}  # fmt: skip


def page(world: World, name: str, url: str, **headers: str) -> str:
    answer = world.client(name).get(url, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_says_who_asked_for_what_and_what_came_of_it(world: World) -> None:
    text = page(world, "viewer", f"/tasks/{world.task.pk}/")
    assert "Start web-1" in text
    assert "Succeeded" in text
    assert "operator" in text
    assert f"/instances/{world.instance.pk}/" in text, "the way to the guest"


def test_a_failure_is_in_words_with_libvirts_own_folded(world: World) -> None:
    task = make_task(world.operator, world.instance, state=Task.State.FAILED, error=ERROR)
    text = page(world, "viewer", f"/tasks/{task.pk}/")
    assert "There is no room for &lt;b&gt;it&lt;/b&gt;." in text
    assert "Free some." in text
    assert re.search(r"<details[^>]*>.*virError &lt;38&gt;", text, re.DOTALL)


def test_the_log_is_there_line_by_line(world: World) -> None:
    LogLine.objects.create(task=world.task, text="First <line>.")
    assert "First &lt;line&gt;." in page(world, "viewer", f"/tasks/{world.task.pk}/?block=task")


def test_only_who_may_cancel_sees_the_button(world: World) -> None:
    task = make_task(world.manager, world.instance)
    for name, shown in (("viewer", False), ("operator", True), ("admin", True)):
        for url in (f"/tasks/{task.pk}/", "/tasks/"):
            main = page(world, name, url).split("<main", 1)[1].split("</main>")[0]
            assert (f'action="/tasks/{task.pk}/cancel/"' in main) is shown, (name, url)


def test_cancelling_answers_a_toast_or_leads_back(world: World) -> None:
    client = world.client("operator")
    first, second = make_task(world.operator, world.instance), make_task(world.operator, world.instance)
    told = client.post(f"/tasks/{first.pk}/cancel/", headers={"X-Webvirt-Toast": "1"}).json()
    assert told["task"]["state"] == "cancelled"
    assert client.post(f"/tasks/{second.pk}/cancel/")["Location"] == f"/tasks/{second.pk}/"
    refused = client.post(f"/tasks/{second.pk}/cancel/", headers={"X-Webvirt-Toast": "1"})
    assert (refused.status_code, refused["Content-Type"]) == (409, "application/problem+json")


def shown(world: World, query: str, name: str = "admin", **headers: str) -> list[int]:
    text = page(world, name, f"/tasks/{query}", **headers)
    return [int(pk) for pk in re.findall(r'<tr id="task-(\d+)"', text)]


def test_the_query_string_narrows_the_list(world: World) -> None:
    other = make_instance(world.other_host, "db-1")
    failed = make_task(world.admin, other, state=Task.State.FAILED, error=ERROR, kind="instances.reset")
    both = [failed.pk, world.task.pk]
    assert shown(world, "") == both
    assert shown(world, "?state=failed") == [failed.pk]
    assert shown(world, "?kind=instances.start") == [world.task.pk]
    assert shown(world, "?user=admin") == [failed.pk]
    assert shown(world, f"?host={world.host.pk}") == [world.task.pk]
    assert shown(world, f"?object={other.uuid}") == [failed.pk]
    assert shown(world, "?q=db-") == [failed.pk]
    assert shown(world, "?q=zebra") == []
    assert shown(world, "", "viewer") == [world.task.pk]
    assert shown(world, "", "stranger") == []


def test_a_live_page_gets_the_rows_that_it_asks_for(world: World) -> None:
    tasks = [make_task(world.admin, world.instance) for _ in range(3)]
    live = {"X-Webvirt-Live": "rows"}
    assert shown(world, f"?ids={tasks[0].pk},{tasks[2].pk},999", **live) == [tasks[2].pk, tasks[0].pk]
    assert shown(world, f"?state=failed&ids={tasks[0].pk}", **live) == []
    assert "<html" not in page(world, "admin", "/tasks/", **live)
    assert "<html" not in page(world, "admin", "/tasks/?block=strip")


def test_the_list_is_cut_into_pages(world: World) -> None:
    for _ in range(30):
        make_task(world.admin, world.instance)
    assert len(shown(world, "?per_page=25")) == 25
    assert len(shown(world, "?per_page=25&page=2")) == 6
    assert len(shown(world, "?per_page=25&page=99")) == 6


@pytest.mark.parametrize("name", ["admin", "viewer"])
def test_the_list_costs_the_same_however_long_it_is(
    world: World, name: str, django_assert_max_num_queries: Any
) -> None:
    client = world.client(name)
    counts = []
    for many in (5, 45):
        for _ in range(many):
            make_task(world.operator, world.instance)
        with django_assert_max_num_queries(30) as found:
            client.get("/tasks/?per_page=100")
        counts.append(len(found))
    assert counts[0] == counts[1]
