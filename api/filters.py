"""What lists can be narrowed by: `?host=3&state=running`, `?search=web`; and their order: `?ordering=-name,id`."""

from datetime import UTC
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field
from rest_framework import filters
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import ApiToken
from hosts.models import HostStatus
from instances.listing import matching, tagged
from instances.models import Instance
from storage.models import Pool, Volume, VolumeUse
from tasks.models import Task
from webvirt.sentences import listed

MOST_ID = 2**63 - 1


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": MOST_ID})
class IdFilter(django_filters.NumberFilter):
    """A row's id: a whole number that a database can hold."""

    field_class: Any = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MOST_ID, **kwargs)

    def get_max_validator(self) -> None:
        return None


TRUTHS = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}


@extend_schema_field({"type": "boolean"})
class TruthFilter(django_filters.TypedChoiceFilter):
    """True or false. django-filter's own takes any other word for no filter at all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, choices=[(word, word) for word in TRUTHS], coerce=TRUTHS.__getitem__, **kwargs)


class MomentField(IsoDateTimeField):
    """A moment that still is one in UTC, as databases keep it."""

    def clean(self, value: Any) -> Any:
        found = super().clean(value)
        try:
            return found and found.astimezone(UTC)
        except OverflowError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    field_class: Any = MomentField


class IdsFilter(django_filters.BaseInFilter, IdFilter):
    """Rows by their ids, with commas between them."""


class Ordering(filters.OrderingFilter):
    """In the order of the view's `ordering_fields`: their names in the shapes, with their lookups where those differ.

    Rows that are equal in what was asked for keep one order from page to page.
    """

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        ordering = self.get_ordering(request, queryset, view)
        return queryset.order_by(*ordering, "pk") if ordering else queryset

    def remove_invalid_fields(self, queryset: QuerySet[Any], fields: Any, view: APIView, request: Request) -> list[str]:
        """The lookups of what was asked for. Raises ValidationError for a name that is not known."""
        lookups = lookups_of(view)
        unknown = [name for name in fields if name.removeprefix("-") not in lookups]
        if unknown:
            words = _("This list has no such order. It has: %(known)s.") % {"known": listed(lookups)}
            raise ValidationError({"ordering": [words]})
        return [("-" if name.startswith("-") else "") + lookups[name.removeprefix("-")] for name in fields]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [f"{sign}{name}" for name in lookups_of(view) for sign in ("", "-")]
        schema = {"type": "array", "items": {"type": "string", "enum": names}}
        words = f"One or more, with commas between them; - turns one round: {', '.join(lookups_of(view))}."
        where = {"name": self.ordering_param, "in": "query", "required": False, "style": "form", "explode": False}
        return [{**where, "description": words, "schema": schema}]


def lookups_of(view: Any) -> dict[str, str]:
    """The lookup of each name that the view's list can be ordered by."""
    return dict((field, field) if isinstance(field, str) else field for field in view.ordering_fields)


class GuestSearch(filters.SearchFilter):
    """Guests by all that the page's field finds them by, and by their host's name."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        for term in self.get_search_terms(request):
            queryset = matching(queryset, term, Q(host__name__icontains=term))
        return queryset


class RowFilter(django_filters.FilterSet):
    """What every list can be narrowed by."""

    ids = IdsFilter(field_name="id", label="Their ids, with commas between them")


class HostFilter(RowFilter):
    name = django_filters.CharFilter()
    uri = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(field_name="status__state", choices=HostStatus.State.choices)
    maintenance = TruthFilter()


class InstanceFilter(RowFilter):
    host = IdFilter()
    state = django_filters.ChoiceFilter(choices=Instance.State.choices)
    name = django_filters.CharFilter()
    title = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    autostart = TruthFilter()
    tag = django_filters.CharFilter(method="with_tag", label="A tag that it has")

    def with_tag(self, queryset: QuerySet[Instance], name: str, value: str) -> QuerySet[Instance]:
        return tagged(queryset, value)


class PoolFilter(RowFilter):
    host = IdFilter()
    state = django_filters.ChoiceFilter(choices=Pool.State.choices)
    name = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    type = django_filters.CharFilter()
    path = django_filters.CharFilter()
    autostart = TruthFilter()


class VolumeFilter(RowFilter):
    pool = IdFilter()
    host = IdFilter(field_name="pool__host")
    name = django_filters.CharFilter()
    path = django_filters.CharFilter()
    format = django_filters.CharFilter()
    used = TruthFilter(method="with_use", label="Whether a guest uses it")

    def with_use(self, queryset: QuerySet[Volume], name: str, value: bool) -> QuerySet[Volume]:
        uses = Exists(VolumeUse.objects.filter(host=OuterRef("pool__host"), path=OuterRef("path")))
        return queryset.filter(uses if value else ~uses)


class NetworkFilter(RowFilter):
    host = IdFilter()
    name = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    active = TruthFilter()
    autostart = TruthFilter()
    bridge = django_filters.CharFilter()
    forward = django_filters.CharFilter()


class InterfaceFilter(RowFilter):
    host = IdFilter()
    name = django_filters.CharFilter()
    type = django_filters.CharFilter()
    active = TruthFilter()


class TaskFilter(RowFilter):
    state = django_filters.ChoiceFilter(choices=Task.State.choices)
    kind = django_filters.CharFilter()
    user = IdFilter(field_name="actor")
    host = IdFilter(field_name="host_id")
    object_type = django_filters.CharFilter()
    object_uuid = django_filters.UUIDFilter()
    object_name = django_filters.CharFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")


class TokenFilter(RowFilter):
    name = django_filters.CharFilter()
    scope = django_filters.ChoiceFilter(choices=ApiToken.Scope.choices)
