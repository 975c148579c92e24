"""What lists can be narrowed by: `?host=3&state=running`, `?search=web`, `?ordering=-name`."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from rest_framework import filters
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import ApiToken
from hosts.models import HostStatus
from instances.listing import matching, tagged
from instances.models import Instance
from storage.models import Pool
from tasks.models import Task

MOST_ID = 2**63 - 1


class IdFilter(django_filters.NumberFilter):
    """A row's id: a whole number that a database can hold."""

    field_class: Any = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MOST_ID, **kwargs)

    def get_max_validator(self) -> None:
        return None


class IdsFilter(django_filters.BaseInFilter, IdFilter):
    """Rows by their ids, with commas between them."""


class Ordering(filters.OrderingFilter):
    """Rows that are equal in what was asked for keep one order from page to page."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        ordering = self.get_ordering(request, queryset, view)
        return queryset.order_by(*ordering, "pk") if ordering else queryset


class GuestSearch(filters.SearchFilter):
    """Guests by all that the page's field finds them by, and by their host's name."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        for term in self.get_search_terms(request):
            queryset = matching(queryset, term, Q(host__name__icontains=term))
        return queryset


class HostFilter(django_filters.FilterSet):
    name = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(field_name="status__state", choices=HostStatus.State.choices)


class InstanceFilter(django_filters.FilterSet):
    host = IdFilter()
    state = django_filters.ChoiceFilter(choices=Instance.State.choices)
    name = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    autostart = django_filters.BooleanFilter()
    tag = django_filters.CharFilter(method="with_tag", label="A tag that it has")

    def with_tag(self, queryset: QuerySet[Instance], name: str, value: str) -> QuerySet[Instance]:
        return tagged(queryset, value)


class PoolFilter(django_filters.FilterSet):
    host = IdFilter()
    state = django_filters.ChoiceFilter(choices=Pool.State.choices)
    name = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    type = django_filters.CharFilter()


class VolumeFilter(django_filters.FilterSet):
    pool = IdFilter()
    host = IdFilter(field_name="pool__host")
    name = django_filters.CharFilter()
    format = django_filters.CharFilter()


class NetworkFilter(django_filters.FilterSet):
    host = IdFilter()
    name = django_filters.CharFilter()
    uuid = django_filters.UUIDFilter()
    active = django_filters.BooleanFilter()


class TaskFilter(django_filters.FilterSet):
    ids = IdsFilter(field_name="id")
    state = django_filters.ChoiceFilter(choices=Task.State.choices)
    kind = django_filters.CharFilter()
    user = IdFilter(field_name="actor")
    host = IdFilter(field_name="host_id")
    object_type = django_filters.CharFilter()
    object_uuid = django_filters.UUIDFilter()
    object_name = django_filters.CharFilter()


class TokenFilter(django_filters.FilterSet):
    name = django_filters.CharFilter()
    scope = django_filters.ChoiceFilter(choices=ApiToken.Scope.choices)
