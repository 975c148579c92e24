"""What the API's views have in common."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django_filters import FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import filters, generics
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.rights import actor_of
from api.filters import Ordering
from api.task_shapes import AcceptedSerializer
from tasks.models import Task
from webvirt.sentences import listed

LONGEST_KEY = 200


class Plain(APIView):
    """OPTIONS says which methods there are, in `Allow`, and no more: the OpenAPI document describes them."""

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return HttpResponse(status=204)


class Rows(Plain, generics.GenericAPIView[Any]):
    """Rows of one model, as far as the user may see them.

    `rows` and `related` are each view's own: the first narrows the table, the second reads in one go
    what the shapes of many rows need besides them; serializers find it in their context.
    """

    problems: ClassVar[Sequence[str]] = ()
    filter_backends: Any = ()

    @property
    def actor(self) -> User:
        return actor_of(self.request.user)

    def rows(self) -> QuerySet[Any]:
        raise NotImplementedError(f"{type(self).__name__} has no rows")

    def related(self, rows: Sequence[Model]) -> Any:
        return None

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows()

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            related = self.related(args[0] if kwargs.get("many") else [args[0]])
            kwargs["context"] = {**self.get_serializer_context(), "related": related}
        return super().get_serializer(*args, **kwargs)


class ListView(generics.ListAPIView[Any], Rows):
    """GET: a page of them, filtered, searched and in order.

    A name that is not known is an error: without what it meant to leave out, a program would take all rows.
    """

    filter_backends: Any = (DjangoFilterBackend, filters.SearchFilter, Ordering)
    filterset_class: type[FilterSet] | None = None

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._refuse_unknown(request.query_params)
        return self.list(request, *args, **kwargs)

    def _refuse_unknown(self, names: Iterable[str]) -> None:
        known = ["limit", "offset"]
        if self.filter_backends:
            known += ["ordering", "search"]
        if self.filterset_class:
            known += self.filterset_class.base_filters
        unknown = [name for name in names if name not in known]
        if unknown:
            words = _("This list cannot be asked for that. It knows: %(known)s.") % {"known": listed(sorted(known))}
            raise ValidationError({name: [words] for name in unknown})


class DetailView(generics.RetrieveAPIView[Any], Rows):
    """GET: one of them."""


def key_of(request: Request) -> str | None:
    """The request's Idempotency-Key. Raises ValidationError when it is too long."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise ValidationError({"Idempotency-Key": [_("At most 200 characters.")]})
    return key or None


def accepted(request: Request, task: Task) -> Response:
    """202: the change was asked for, and this is its task."""
    location = request.build_absolute_uri(reverse("api:task", args=[task.pk]))
    shape = AcceptedSerializer({"task": task}, context={"request": request})
    return Response(shape.data, status=202, headers={"Location": location})
