"""libvirt's event loop: without one there are no events, no keepalive and no close callbacks."""

import atexit
import os
import threading

import libvirt

_lock = threading.Lock()
_stopping = threading.Event()
_owner: int | None = None


def start_event_loop() -> None:
    """Register libvirt's default event loop and run it in a daemon thread, once a process.

    Must be called before the first connection is opened (virEventRegisterDefaultImpl), and in a
    process that forks only in the children: RuntimeError in a child of a process that runs one,
    since the child would inherit a loop that another thread owns and that never turns again.
    """
    global _owner
    with _lock:
        if _owner == os.getpid():
            return
        if _owner is not None:
            raise RuntimeError("libvirt's event loop was started before the fork; start it in the child only")
        # libvirt would print every error on standard error besides raising it.
        libvirt.registerErrorHandler(_ignore, None)
        libvirt.virEventRegisterDefaultImpl()
        thread = threading.Thread(target=_run, name="libvirt-events", daemon=True)
        thread.start()
        atexit.register(_stop, os.getpid(), thread)
        _owner = os.getpid()


def _ignore(context: None, error: tuple[object, ...]) -> None:
    return None


def _run() -> None:
    while not _stopping.is_set():
        libvirt.virEventRunDefaultImpl()


def _stop(owner: int, thread: threading.Thread) -> None:
    """End the thread before the interpreter ends: one that ends under a running loop hangs."""
    if owner != os.getpid():
        return
    _stopping.set()
    # A timer that is due at once wakes the loop, which then sees that it shall stop.
    libvirt.virEventAddTimeout(0, _wake, None)
    thread.join(timeout=5)


def _wake(timer: int, opaque: None) -> None:
    libvirt.virEventUpdateTimeout(timer, -1)
