"""What the list of tasks can be narrowed by."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tasks.models import Task, TaskQuerySet
from tasks.registry import TITLES

MOST_ID = 2**63 - 1


class TaskFilters(forms.Form):
    """The query string of the list: what cannot be understood narrows nothing."""

    q = forms.CharField(required=False, max_length=300)
    state = forms.ChoiceField(required=False, choices=Task.State.choices)
    kind = forms.CharField(required=False, max_length=64)
    user = forms.CharField(required=False, max_length=150)
    host = forms.IntegerField(required=False, min_value=0, max_value=MOST_ID)
    object = forms.UUIDField(required=False)

    def __init__(self, query: Any, *, user: Any) -> None:
        super().__init__(query)
        self.seen: TaskQuerySet = Task.objects.visible_to(user)
        self.is_valid()

    @cached_property
    def asked(self) -> bool:
        """Whether anything is narrowed."""
        return any(value not in (None, "") for value in self.cleaned_data.values())

    def rows(self) -> TaskQuerySet:
        found = self.seen
        wanted = self.cleaned_data
        for field, lookup in (
            ("state", "state"),
            ("kind", "kind"),
            ("user", "actor_name"),
            ("host", "host_id"),
            ("object", "object_uuid"),
        ):
            if wanted.get(field) not in (None, ""):
                found = found.filter(**{lookup: wanted[field]})
        if q := wanted.get("q"):
            found = found.filter(Q(object_name__icontains=q) | Q(host_name__icontains=q) | Q(actor_name__icontains=q))
        return found

    @cached_property
    def chips(self) -> list[dict[str, Any]]:
        """The menus of filters: what each is called, what can be chosen, and what is."""
        users = self.seen.order_by("actor_name").values_list("actor_name", flat=True).distinct()
        hosts = self.seen.exclude(host_id=None).order_by("host_name").values_list("host_id", "host_name").distinct()
        kinds = self.seen.order_by("kind").values_list("kind", flat=True).distinct()
        chips: list[dict[str, Any]] = [
            {"name": "state", "label": _("State"), "options": Task.State.choices},
            {"name": "kind", "label": _("What"), "options": [(kind, words_of(kind)) for kind in kinds]},
            {"name": "user", "label": _("Who"), "options": [(user, user) for user in users]},
            {"name": "host", "label": _("Host"), "options": list(hosts)},
        ]
        return [{**chip, "value": self.cleaned_data.get(chip["name"]) or ""} for chip in chips]


def words_of(kind: str) -> str:
    """A kind of task in words, its object left open: 'Start …'."""
    return str(TITLES[kind]) % {"name": "…"} if kind in TITLES else kind
