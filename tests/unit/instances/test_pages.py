"""The list of guests and the page of one, as people of every role meet them."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Grant, Role
from instances.models import Instance
from tests.unit.world import World, grant, make_host, make_instance

WORDS = {str(state.label) for state in Instance.State}


def text_of(html: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", html).split()))


def rows(world: World, name: str, query: str = "") -> str:
    page = world.client(name).get(f"/instances/{query}", headers={"X-Webvirt-Live": "rows"})
    assert page.status_code == 200
    return page.content.decode()


def names(world: World, query: str) -> list[str]:
    return re.findall(r'class="name"[^>]*>([^<]*)<', rows(world, "admin", query))


@pytest.mark.parametrize(
    "path", ["/", "/instances/", "/instances/{pk}/", "/instances/create/", "/instances/{pk}/delete/"]
)
def test_a_manager_sees_every_page(world: World, path: str) -> None:
    assert world.client("manager").get(path.format(pk=world.instance.pk)).status_code == 200


@pytest.mark.parametrize("state", Instance.State)
def test_a_row_says_its_state_once_and_no_other(world: World, state: Instance.State) -> None:
    Instance.objects.filter(pk=world.instance.pk).update(state=state, name="x")
    text = text_of(rows(world, "admin"))
    assert text.count(str(state.label)) == 1
    assert not [word for word in WORDS - {str(state.label)} if word.lower() in text.lower()]


def test_a_row_offers_what_the_state_and_the_role_allow(world: World) -> None:
    shut_off = rows(world, "operator")
    assert 'aria-label="Start"' in shut_off
    assert "Shut down" not in shut_off
    assert "Delete" not in shut_off
    assert 'aria-label="Start"' not in rows(world, "viewer")
    Instance.objects.update(state=Instance.State.RUNNING)
    running = text_of(rows(world, "manager").replace("aria-label=", ">").replace("title=", ">"))
    for word in ("Console", "Shut down", "Reboot", "Pause", "Reset", "Force off", "Delete", "More actions"):
        assert word in running
    assert "Resume" not in running


def test_a_guest_of_a_silent_host_says_since_when_and_offers_nothing(world: World) -> None:
    Instance.objects.update(state=Instance.State.RUNNING)
    world.host_is_down()
    row = rows(world, "admin")
    assert "Running, not heard since" in text_of(row)
    assert "<button" not in row
    page = world.client("admin").get(f"/instances/{world.instance.pk}/").content.decode()
    assert "Running, not heard since" in text_of(page)
    assert "Force off" not in page


def test_strangers_see_no_guest(world: World) -> None:
    assert "<tr" not in rows(world, "stranger")
    for path in ("", "delete/"):
        assert world.client("stranger").get(f"/instances/{world.instance.pk}/{path}").status_code == 404


def test_a_grant_on_one_guest_shows_that_one(world: World) -> None:
    other = make_instance(world.host, "web-2")
    grant(world.stranger, Role.OPERATOR, Grant.Scope.INSTANCE, world.host, other.uuid)
    found = rows(world, "stranger")
    assert "web-2" in found
    assert "web-1" not in found
    assert 'aria-label="Start"' in found


def test_the_query_string_filters_sorts_and_pages(world: World) -> None:
    db = make_instance(world.other_host, "db-1", Instance.State.RUNNING)
    assert names(world, "?state=running") == ["db-1"]
    assert names(world, f"?host={world.host.pk}") == ["web-1"]
    assert names(world, "?q=DB") == ["db-1"]
    assert names(world, f"?q={db.uuid}") == ["db-1"]
    assert names(world, f"?q={str(db.uuid)[:8]}") == ["db-1"]
    assert names(world, "?q=52:54:00") == ["db-1", "web-1"]
    assert names(world, "?sort=-name") == ["web-1", "db-1"]
    assert names(world, "?sort=host") == ["web-1", "db-1"]
    assert names(world, f"?ids={db.pk}") == ["db-1"]
    assert names(world, "?ids=") == []


@pytest.mark.parametrize("query", ["?state=nonsense", "?host=x", "?host=99999999999999999999", "?sort=uuid", "?page=x"])
def test_a_query_string_that_says_nothing_is_passed_over(world: World, query: str) -> None:
    assert names(world, query) == ["web-1"]


@pytest.mark.parametrize("query", ["?q=%00", "?q=%25", "?ids=abc", "?ids=99999999999999999999"])
def test_no_query_string_is_a_fault(world: World, query: str) -> None:
    assert world.client("admin").get(f"/instances/{query}").status_code == 200


def test_nothing_found_offers_to_clear_the_filters(world: World) -> None:
    page = world.client("admin").get("/instances/?q=nothing-like-it").content.decode()
    assert "No guest matches" in page
    assert "Clear filters" in page


def test_each_live_piece_is_answered_alone(world: World) -> None:
    for path in (
        *(f"/instances/{world.instance.pk}/?block={part}" for part in ("head", "now", "hardware", "history")),
        *(f"/instances/?block={part}" for part in ("count", "foot")),
        *(f"/?block={part}" for part in ("nav", "counts", "worries", "hosts", "states", "tasks", "pools", "first")),
    ):
        piece = world.client("manager").get(path, headers={"X-Webvirt-Live": "block"}).content.decode()
        assert "<html" not in piece, path
        assert "data-live-block" in piece, path


def test_the_page_shows_the_hardware(world: World) -> None:
    definition = """<domain type='qemu'><name>web-1</name><vcpu>2</vcpu><os><type machine='pc-q35-7.2'>hvm</type></os>
    <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/pool/web-1.qcow2'/>
    <target dev='vda' bus='virtio'/></disk><disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>
    <graphics type='vnc' listen='127.0.0.1'/><video><model type='vga'/></video></devices></domain>"""
    Instance.objects.update(inactive_xml=definition)
    text = text_of(world.client("manager").get(f"/instances/{world.instance.pk}/?edit=sda").content.decode())
    for words in ("2 vCPU", "web-1.qcow2, 10 GiB", "CD-ROM sda", "boot.iso", "default", "VNC, through Webvirt only",
                  "BIOS", "pc-q35-7.2", "emulated by QEMU"):  # fmt: skip
        assert words in text
    assert "Insert" not in text_of(
        world.client("viewer").get(f"/instances/{world.instance.pk}/?edit=sda").content.decode()
    )


@pytest.mark.parametrize("path", ["/instances/", "/", "/instances/create/"])
def test_a_page_asks_as_often_for_fifty_guests_as_for_five(world: World, path: str) -> None:
    client = world.client("manager")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    for number in range(4):
        make_instance(world.host, f"guest-{number}", Instance.State.RUNNING)
    few = queries()
    for number in range(45):
        make_instance(world.host, f"more-{number}", Instance.State.RUNNING)
    assert queries() == few


def test_a_page_asks_as_often_for_five_hosts_as_for_two(world: World) -> None:
    client = world.client("admin")

    def queries() -> list[int]:
        counts = []
        for path in ("/", "/instances/", "/instances/create/"):
            with CaptureQueriesContext(connection) as asked:
                assert client.get(path).status_code == 200
            counts.append(len(asked))
        return counts

    few = queries()
    for number in range(3):
        make_host(f"more-{number}")
    assert queries() == few
