"""A job's connection to its host, with its settling."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Ref
from hosts.access import access_to
from hosts.models import Host
from hosts.settle import settle
from tasks.context import Context
from tasks.errors import JobFailed
from virt.connection import Connection, open_connection


def host_of(host_id: int) -> Host:
    """The host that a job is about. Raises JobFailed when it was removed meanwhile."""
    host = Host.objects.filter(pk=host_id).first()
    if host is None:
        raise JobFailed(
            gettext_noop("The host is gone"), gettext_noop("It was removed from Webvirt before this began.")
        )
    return host


@contextmanager
def connect(host_id: int, *, shared: bool = True) -> Iterator[Connection]:
    """Open the host for a job, and close it after. Raises virt's Unreachable and its kin.

    Jobs share one ssh connection, which spares each of them the signing in; one that moves much data takes its
    own, so that consoles and others do not wait behind it.
    """
    with access_to(host_of(host_id), shared=shared) as access:
        connection = open_connection(access)
    with connection:
        yield connection


def settled(context: Context, *refs: Ref, result: Any = None) -> None:
    """A job's last step: the change is done, and the changed objects are read again."""
    context.done(result)
    read_again(context, *refs)


def read_again(context: Context, *refs: Ref) -> None:
    """Have the changed objects read, or say in the log that the lists may lag."""
    if not settle(context.host_id, refs or [context.ref]):
        context.say(_("The change is done; lists may show it a moment later, because the monitor did not answer."))
