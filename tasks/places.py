"""Where the pages of what a task is about are."""

from django.urls import reverse

from accounts.rights import Ref
from live.registry import TYPES
from tasks.models import Task

PAGES = {
    "host": "hosts:detail",
    "instance": "instances:detail",
    "pool": "storage:detail",
    "network": "networks:detail",
}


def place_of(task: Task) -> str:
    """The address of the object's page; "" where the object is not there. A volume's is its pool's."""
    ref = task.ref
    if ref.type in ("volume", "upload"):
        ref = Ref("pool", ref.host_id, ref.uuid)
    if ref.type not in PAGES:
        return ""
    pk = TYPES[ref.type].find([ref]).get(ref)
    return reverse(PAGES[ref.type], args=[pk]) if pk else ""
