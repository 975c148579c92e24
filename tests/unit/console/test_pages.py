"""The console's pages: who may see one, what it says, and the token behind it."""

import json
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.contrib.auth.models import Group
from django.test import Client, TestCase
from django.urls import reverse

from accounts.models import Grant, Role, User
from console.tokens import digest_of, redeem
from hosts.models import Host, HostStatus
from instances.models import Instance
from storage.models import Pool, Volume
from tasks.models import Task

VNC = [{"type": "vnc", "port": 5900, "listen": "127.0.0.1"}]
TOAST = {"X-Webvirt-Toast": "1"}


class ConsoleCase(TestCase):
    """Alice operates everything, Victor sees it, Charlie is a stranger."""

    def setUp(self) -> None:
        self.host = Host.objects.create(name="kvm-03", uri="qemu:///system")
        self.status = HostStatus.objects.create(host=self.host, state=HostStatus.State.UP)
        self.guest = Instance.objects.create(
            host=self.host, uuid=uuid4(), name="web-8", state=Instance.State.RUNNING, graphics=VNC
        )
        self.alice, self.victor, self.charlie = (
            User.objects.create_user(name) for name in ("alice", "victor", "charlie")
        )
        Grant.objects.create(user=self.alice, role=Role.OPERATOR, scope=Grant.Scope.EVERYTHING)
        Grant.objects.create(user=self.victor, role=Role.VIEWER, scope=Grant.Scope.EVERYTHING)
        self.url = reverse("console:console", args=[self.guest.pk])
        self.token_url = reverse("console:token", args=[self.guest.pk])
        self.client.force_login(self.alice)

    def become(self, **changes: Any) -> None:
        Instance.objects.filter(pk=self.guest.pk).update(**changes)

    def problem(self) -> Any:
        """What the page's script hears when it asks for a token that it cannot have."""
        answer = self.client.post(self.token_url, headers=TOAST)
        assert answer.headers["Content-Type"] == "application/problem+json"
        return {"status": answer.status_code, **json.loads(answer.content)}


class PageTests(ConsoleCase):
    def test_it_has_the_display_and_what_can_be_done(self) -> None:
        page = self.client.get(self.url).content.decode()
        self.assertIn('data-picture="yes"', page)
        self.assertIn("Ctrl-Alt-Del", page)
        self.assertIn("Force off", page)
        self.assertNotIn("token=", page)

    def test_its_bar_does_not_show_a_guest_as_running_whose_host_is_dark(self) -> None:
        HostStatus.objects.update(state=HostStatus.State.DOWN)
        bar = self.client.get(self.url, {"block": "bar"}).content.decode()
        self.assertNotIn("st-run", bar)
        self.assertIn("not heard since", bar)

    def test_it_says_that_a_guest_is_off_and_offers_the_start(self) -> None:
        self.become(state=Instance.State.SHUTOFF)
        page = self.client.get(self.url, {"block": "cover"}).content.decode()
        self.assertIn('data-picture="no"', page)
        self.assertIn("web-8 is in the state “shut off”", page)
        self.assertIn("Start", page)

    def test_it_says_since_when_a_host_is_away(self) -> None:
        HostStatus.objects.update(state=HostStatus.State.DOWN)
        page = self.client.get(self.url, {"block": "cover"}).content.decode()
        self.assertIn("kvm-03", page)
        self.assertNotIn("<button", page)

    def test_it_offers_the_hosts_iso_images_to_managers_alone(self) -> None:
        pool = Pool.objects.create(host=self.host, uuid=uuid4(), name="default", state=Pool.State.ACTIVE)
        image = Volume.objects.create(pool=pool, name="netinst.iso", path="/pool/netinst.iso")
        self.become(disks=[{"device": "cdrom", "target": "sda", "path": image.path}])
        self.assertNotIn("Eject", self.client.get(self.url, {"block": "bar"}).content.decode())
        Grant.objects.filter(user=self.alice).update(role=Role.MANAGER)
        bar = self.client.get(self.url, {"block": "bar"}).content.decode()
        self.assertIn("netinst.iso", bar)
        self.assertIn("Eject", bar)

    def test_it_is_refused_to_viewers(self) -> None:
        self.client.force_login(self.victor)
        self.assertEqual(self.client.get(self.url).status_code, 403)
        self.assertEqual(self.client.post(self.token_url).status_code, 403)

    def test_it_hides_the_guest_from_strangers(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.client.get(self.url).status_code, 404)
        self.assertEqual(self.client.post(self.token_url).status_code, 404)

    def test_it_has_no_serial_terminal(self) -> None:
        self.assertEqual(self.client.get(self.url, {"type": "serial"}).status_code, 404)

    def test_it_asks_to_sign_in(self) -> None:
        self.client.logout()
        self.assertRedirects(self.client.get(self.url), f"/login/?next={self.url}", fetch_redirect_response=False)

    def test_tokens_are_posted_for_and_by_the_page_itself(self) -> None:
        self.assertEqual(self.client.get(self.token_url).status_code, 405)
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(self.alice)
        self.assertEqual(strict.post(self.token_url).status_code, 403)

    def test_a_guest_that_is_off_has_no_token(self) -> None:
        self.become(state=Instance.State.SHUTOFF)
        self.assertEqual(self.problem()["status"], 409)

    def test_a_guest_without_vnc_has_no_token(self) -> None:
        self.become(graphics=[{"type": "spice", "port": 5900, "listen": ""}])
        self.assertEqual(self.problem()["title"], "web-8 has no display")

    def test_displays_that_nothing_leads_to_have_no_token(self) -> None:
        for uri in ("test:///default", "qemu+tcp://kvm-03/system", "qemu+tls://kvm-03/system"):
            for listen in ("127.0.0.1", "::1", "localhost", "/run/vnc.sock"):
                Host.objects.update(uri=uri)
                self.become(graphics=[{"type": "vnc", "port": 5900, "listen": listen}])
                self.assertEqual(self.problem()["title"], "The display of web-8 cannot be reached")
        self.assertIn("vnc_listen", self.problem()["detail"])

    def test_a_host_that_is_away_has_no_token(self) -> None:
        HostStatus.objects.update(state=HostStatus.State.DOWN)
        self.assertEqual(self.problem()["status"], 503)


class TokenTests(ConsoleCase):
    @pytest.fixture(autouse=True)
    def _redis(self, redis_server: redis.Redis) -> None:
        self.redis = redis_server

    def test_it_is_good_once_for_the_session_that_asked(self) -> None:
        answer = self.client.post(self.token_url).json()
        self.assertEqual(answer["url"], f"http://testserver{self.url}")
        address, _, token = answer["websocket"].partition("?token=")
        self.assertEqual(address, "ws://testserver/console/ws")
        claim = redeem(token)
        assert claim
        self.assertEqual((claim.instance_id, claim.user_id), (self.guest.pk, self.alice.pk))
        self.assertEqual(claim.session, digest_of(self.client.session.session_key or ""))
        self.assertIsNone(redeem(token))

    def test_displays_on_other_machines_have_tokens(self) -> None:
        for uri, listen in (
            ("qemu+ssh://kvm-03/system", "127.0.0.1"),
            ("qemu+ssh://kvm-03/system", "/run/vnc.sock"),
            ("qemu+tcp://kvm-03/system", "10.0.0.3"),
            ("qemu+tls://kvm-03/system", "::"),
        ):
            Host.objects.update(uri=uri)
            self.become(graphics=[{"type": "vnc", "port": 5900, "listen": listen}])
            self.assertEqual(self.client.post(self.token_url).status_code, 200)

    def test_redis_never_holds_the_token_or_the_session(self) -> None:
        token = self.client.post(self.token_url).json()["websocket"].partition("?token=")[2]
        held = " ".join(f"{key} {self.redis.get(key)}" for key in self.redis.keys("webvirt:console:*"))
        self.assertIn(digest_of(token), held)
        self.assertNotIn(token, held)
        self.assertNotIn(self.client.session.session_key or "", held)

    def test_it_is_a_secure_address_behind_tls(self) -> None:
        answer = self.client.post(self.token_url, headers={"X-Forwarded-Proto": "https", "Host": "webvirt.test"}).json()
        self.assertEqual(answer["websocket"].partition("?")[0], "wss://webvirt.test/console/ws")


class TaskPageTests(ConsoleCase):
    def setUp(self) -> None:
        super().setUp()
        self.task = Task.objects.create(
            kind="instances.create",
            queue="quick",
            limit=120,
            actor=self.alice,
            actor_name="alice",
            host_id=self.host.pk,
            host_name="kvm-03",
            object_type="instance",
            object_uuid=self.guest.uuid,
            object_name="web-8",
        )
        self.url = reverse("tasks:detail", args=[self.task.pk])

    def become_task(self, **changes: Any) -> None:
        Task.objects.filter(pk=self.task.pk).update(**changes)

    def console_page(self, **more: str) -> Any:
        return self.client.get(self.url, {"then": "console", **more})

    def test_it_shows_how_far_the_task_is_over_the_consoles_frame(self) -> None:
        self.become_task(state=Task.State.RUNNING, progress=40, progress_text="defining the guest")
        page = self.console_page().content.decode()
        self.assertIn("Create web-8", page)
        self.assertIn("defining the guest", page)
        self.assertIn('class="cbar"', page)
        self.assertIn("Cancel", page)

    def test_it_leads_to_the_console_once_the_guest_is_there(self) -> None:
        self.become_task(state=Task.State.SUCCEEDED)
        there = reverse("console:console", args=[self.guest.pk])
        self.assertRedirects(self.console_page(), there, fetch_redirect_response=False)
        self.assertIn(f'data-console="{there}"', self.console_page(block="progress").content.decode())

    def test_it_waits_for_the_guests_row_after_the_task(self) -> None:
        self.become_task(state=Task.State.SUCCEEDED)
        self.guest.delete()
        page = self.console_page().content.decode()
        self.assertIn(f'data-live-block="task:{self.task.pk},instance"', page)

    def test_it_says_why_the_task_failed_and_what_next(self) -> None:
        error = {"title": "Not enough room", "detail": "The pool is full.", "hint": "Free some.", "params": {}}
        self.become_task(state=Task.State.FAILED, error={**error, "libvirt": "no space left"})
        page = self.console_page().content.decode()
        for words in ("Not enough room", "The pool is full.", "Free some.", "no space left", "Create again"):
            self.assertIn(words, page)

    def test_without_then_it_is_the_tasks_page(self) -> None:
        self.assertTemplateUsed(self.client.get(self.url), "tasks/detail.html")

    def test_it_hides_the_task_from_strangers(self) -> None:
        self.client.force_login(self.charlie)
        self.assertEqual(self.console_page().status_code, 404)


class AfterwardsTests(ConsoleCase):
    """What ends open consoles tells them to look again: a message to the channel of each user concerned."""

    @pytest.fixture(autouse=True)
    def _redis(self, redis_server: redis.Redis) -> None:
        self.redis = redis_server

    def hears(self, user: User) -> Any:
        told = self.redis.pubsub(ignore_subscribe_messages=True)
        told.subscribe(f"webvirt:revoked:{user.pk}")
        assert told.get_message(timeout=1) is None
        return lambda: told.get_message(timeout=1) is not None

    def test_the_end_of_a_session_is_told(self) -> None:
        heard = self.hears(self.alice)
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post(reverse("accounts:logout"))
        self.assertTrue(heard())

    def test_a_lost_grant_is_told(self) -> None:
        heard = self.hears(self.alice)
        with self.captureOnCommitCallbacks(execute=True):
            Grant.objects.filter(user=self.alice).delete()
        self.assertTrue(heard())

    def test_a_lost_membership_is_told(self) -> None:
        group = Group.objects.create(name="night shift")
        for lose in (
            lambda: group.user_set.remove(self.alice),
            lambda: group.user_set.clear(),
            lambda: self.alice.groups.clear(),
            lambda: Grant.objects.create(group=group, role=Role.OPERATOR, scope=Grant.Scope.EVERYTHING),
        ):
            group.user_set.add(self.alice)
            heard = self.hears(self.alice)
            with self.captureOnCommitCallbacks(execute=True):
                lose()
            self.assertTrue(heard())

    def test_a_disabled_account_is_told(self) -> None:
        heard = self.hears(self.alice)
        with self.captureOnCommitCallbacks(execute=True):
            self.alice.is_active = False
            self.alice.save()
        self.assertTrue(heard())
