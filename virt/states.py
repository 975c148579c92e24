"""The states of a domain, in words that do not change with libvirt's numbers."""

from enum import StrEnum

import libvirt


class State(StrEnum):
    """What a domain does."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTOFF = "shutoff"
    SHUTTING_DOWN = "shutting_down"
    CRASHED = "crashed"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"


_STATES = {
    libvirt.VIR_DOMAIN_RUNNING: State.RUNNING,
    # Blocked on a resource: Xen's word for a guest that runs and waits.
    libvirt.VIR_DOMAIN_BLOCKED: State.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: State.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: State.SHUTOFF,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.SUSPENDED,
}

_PREFIXES = {
    libvirt.VIR_DOMAIN_RUNNING: "VIR_DOMAIN_RUNNING_",
    libvirt.VIR_DOMAIN_PAUSED: "VIR_DOMAIN_PAUSED_",
    libvirt.VIR_DOMAIN_SHUTDOWN: "VIR_DOMAIN_SHUTDOWN_",
    libvirt.VIR_DOMAIN_SHUTOFF: "VIR_DOMAIN_SHUTOFF_",
    libvirt.VIR_DOMAIN_CRASHED: "VIR_DOMAIN_CRASHED_",
}


def words_of(prefix: str) -> dict[int, str]:
    """Return libvirt's constants with this prefix, by number, as words: SHUTOFF_CRASHED -> crashed."""
    return {
        number: name.removeprefix(prefix).lower()
        for name, number in vars(libvirt).items()
        if name.startswith(prefix) and isinstance(number, int)
    }


_REASONS = {state: words_of(prefix) for state, prefix in _PREFIXES.items()}


def state_of(number: int) -> State:
    """Return the state for libvirt's number."""
    return _STATES.get(number, State.UNKNOWN)


def reason_word(state: int, reason: int) -> str:
    """Return libvirt's word for why a domain is in a state, as `destroyed`; unknown where it has none."""
    return _REASONS.get(state, {}).get(reason, "unknown")
