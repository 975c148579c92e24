"""The conversation by which a host is connected: its steps, and how far they are."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from django.utils import timezone

from accounts.models import User
from hosts.keys import HostKey, OwnKeyUnreadable
from hosts.letting_in import line_for, user_on
from hosts.models import Host, HostStatus
from hosts.pem import expiry
from hosts.secrets import Secrets, unseal_or_none
from hosts.services import offered_keys
from hosts.twins import twins_of
from tasks.errors import Refused, error_words
from tasks.runner import words_of
from virt.errors import Denied, HostKeyChanged, HostKeyUnknown, KeyRefused, Unsupported
from virt.transport import endpoint

LET_IN = (Denied.code, Unsupported.code)
NOT_LET_IN = (KeyRefused.code, OwnKeyUnreadable.code)
SOON = timedelta(days=30)
# Where each kind of key lies on a host.
FILES = {"ED25519": "ssh_host_ed25519_key.pub", "ECDSA": "ssh_host_ecdsa_key.pub", "RSA": "ssh_host_rsa_key.pub"}


def command_for(key: HostKey) -> str:
    """What prints the key's fingerprint on its host."""
    return f"ssh-keygen -lf /etc/ssh/{FILES.get(key.algorithm, 'ssh_host_*_key.pub')}"


@dataclass(frozen=True)
class Expiry:
    """When the certificates end that open a host."""

    at: datetime

    @property
    def is_soon(self) -> bool:
        return self.at - timezone.now() < SOON


class Steps:
    """What the page says of a host that is being connected. The monitor's word is `status`."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.status: HostStatus = host.status
        self.code = self.status.error_code

    @cached_property
    def secrets(self) -> Secrets:
        return unseal_or_none(self.host.sealed) or Secrets()

    @property
    def is_lost(self) -> bool:
        """Whether what is kept to open it cannot be read any more."""
        return unseal_or_none(self.host.sealed) is None

    @cached_property
    def transport(self) -> str:
        return endpoint(self.host.uri).transport

    @property
    def is_ssh(self) -> bool:
        return self.transport == "ssh"

    @property
    def is_open_to_all(self) -> bool:
        """Whether nobody is asked for anything: plain TCP without a password."""
        return self.transport == "tcp" and not self.secrets.password and not self.is_lost

    @property
    def user(self) -> str:
        return user_on(self.host)

    @cached_property
    def _line(self) -> tuple[str, dict[str, str] | None]:
        try:
            return line_for(self.host, self.secrets), None
        except OwnKeyUnreadable as error:
            return "", error_words(words_of(error))

    @property
    def line(self) -> str:
        return self._line[0]

    @property
    def line_fault(self) -> dict[str, str] | None:
        """Why there is no line: Webvirt's own key cannot be read."""
        return self._line[1]

    @property
    def has_own_key(self) -> bool:
        return bool(self.secrets.private_key)

    @property
    def is_known(self) -> bool:
        """Whether the host's key is confirmed, and the one that it showed."""
        return self.host.key is not None and not self.status.shows_other_key

    @property
    def is_let_in(self) -> bool:
        """Whether the host took our key: whoever was there, or is told what they may not do, has been let in."""
        if self.status.is_up or self.code in LET_IN:
            return True
        return self.status.last_seen is not None and self.code not in NOT_LET_IN and not self.is_lost

    @property
    def is_refused_key(self) -> bool:
        return self.code == KeyRefused.code

    @property
    def command(self) -> str:
        return command_for(self.host.key) if self.host.key else ""

    @property
    def words(self) -> dict[str, str] | None:
        """Why it is not up, unless a step before the last says it."""
        return None if self.code in (HostKeyUnknown.code, HostKeyChanged.code) else self.status.error_words

    @property
    def is_waiting(self) -> bool:
        """Whether somebody has to confirm the key before it can be tried."""
        return self.is_ssh and not self.is_known

    @property
    def twins(self) -> list[Host]:
        """What leads to the same machine."""
        return twins_of(self.host)

    @property
    def expiry(self) -> Expiry | None:
        found = [expiry(pem) for pem in (self.secrets.ca_certificate, self.secrets.client_certificate)]
        ends = [at for at in found if at is not None]
        return Expiry(min(ends)) if ends else None

    @property
    def last(self) -> int:
        """The number of the last step."""
        return 4 if self.is_ssh else 2

    @property
    def now(self) -> int:
        """The number of the first step that is not done; 0 when all are."""
        done = [self.is_let_in, self.is_known] if self.is_ssh else []
        done.append(self.status.is_up)
        return 0 if all(done) else 2 + done.index(False)


@dataclass(frozen=True)
class Offer:
    """The keys that a host shows now, beside the one that was confirmed; or why there are none."""

    host: Host
    keys: list[HostKey] = field(default_factory=list)
    problem: Refused | None = None

    @classmethod
    def of(cls, host: Host, actor: User) -> "Offer":
        """Ask the host; takes as long as it takes to answer, 12 s at most."""
        try:
            return cls(host, offered_keys(host, actor=actor))
        except Refused as problem:
            return cls(host, problem=problem)

    @property
    def key(self) -> HostKey | None:
        return self.keys[0] if self.keys else None

    @property
    def command(self) -> str:
        return command_for(self.key) if self.key else ""

    @property
    def others(self) -> list[HostKey]:
        return self.keys[1:]

    @property
    def is_as_confirmed(self) -> bool:
        return self.host.key in self.keys
