"""Who reads which host: each of several monitors finds the same answer by itself."""

import logging
from collections.abc import Collection, Iterable
from hashlib import blake2b

from monitor.lease import Leases
from monitor.members import Members, me
from webvirt.processes import is_dead

log = logging.getLogger(__name__)


def _weight(host_id: int, member: str) -> bytes:
    return blake2b(f"{host_id} {member}".encode(), digest_size=8).digest()


def owner_of(host_id: int, members: Collection[str]) -> str:
    """The member that reads this host: the one with the highest weight for it (rendezvous hashing).

    A member that comes takes hosts from each of the others, and one that goes leaves its own to them; no other
    host moves.
    """
    return max(members, key=lambda member: (_weight(host_id, member), member))


def share_of(me: str, host_ids: Iterable[int], members: Collection[str]) -> set[int]:
    """The hosts that `me` reads while these are the members."""
    return {host_id for host_id in host_ids if owner_of(host_id, members) == me}


class Share:
    """The hosts that are this monitor's to read, and their leases."""

    def __init__(self) -> None:
        self._members = Members()
        self._leases = Leases()
        self._said: tuple[int, int] | None = None
        # Whether hosts of ours are still held by another, who gives them up now.
        self.waits = False

    def agree(self, host_ids: Collection[int], busy: Collection[int]) -> set[int]:
        """Renew the leases, in a constant number of Redis' calls; which hosts are to be read here.

        `busy` are read here still: the lease on one that is not ours to read any more is kept until its reader
        has ended, and then given back. Raises redis.RedisError.
        """
        self.waits = False
        self._members.beat()
        mine = share_of(me(), host_ids, self._members.living)
        held = self._leases.held
        self._leases.give_back(held - mine - set(busy))
        asked = mine | (held & set(busy)) if self._members.is_settled else held & (mine | set(busy))
        dead = self._members.dead | {holder for holder in self._leases.others if is_dead(holder)}
        read = self._leases.take(asked, dead) & mine
        self.waits = len(read) < len(mine)
        if (said := (len(read), len(mine))) != self._said:
            log.info("Of %s hosts, %s are read here, of %s that are ours to read", len(host_ids), *said)
            self._said = said
        return read

    def extend(self) -> None:
        """Redis is away: what is held stays so."""
        self._leases.extend()

    def may_write(self, host_id: int) -> bool:
        return self._leases.is_held(host_id)

    def end(self) -> None:
        """Leave all hosts to the others."""
        self._leases.give_back(self._leases.held)
        self._members.leave()
