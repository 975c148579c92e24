"""tokens/: one's own API tokens."""

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from api.fields import Moment, Shape, Strict
from api.filters import TokenFilter
from api.views import DetailView, ListView, Rows
from tasks.errors import Refused


class TokenSerializer(Shape):
    """A token, without its secret, which is kept nowhere."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=ApiToken.Scope.choices)
    created_at = Moment()
    last_used_at = Moment(allow_null=True, help_text="To the minute; null while it was never used.")


class MadeTokenSerializer(TokenSerializer):
    """A token that was just made."""

    token = serializers.CharField(help_text="The secret itself, answered this once.")


class NewTokenSerializer(Strict):
    name = serializers.CharField(max_length=100, help_text="What it is for.")
    scope = serializers.ChoiceField(
        choices=ApiToken.Scope.choices, default=ApiToken.Scope.WRITE, help_text="A token of scope read changes nothing."
    )


class OwnTokens(Rows):
    serializer_class = TokenSerializer

    def rows(self) -> QuerySet[ApiToken]:
        return ApiToken.objects.filter(user=self.request.user.pk)


class TokenList(OwnTokens, ListView):
    """One's own API tokens."""

    filterset_class = TokenFilter
    search_fields = ("name",)
    ordering_fields = ("id", "name", "scope", "created_at", "last_used_at")
    ordering = ("-created_at",)

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token for oneself."""
        asked = NewTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        token, secret = ApiToken.issue(user=self.actor, **asked.validated_data)
        shape = {**TokenSerializer(token).data, "token": secret}
        location = request.build_absolute_uri(reverse("api:token", args=[token.pk]))
        return Response(shape, status=201, headers={"Location": location, "Cache-Control": "no-store"})


class TokenDetail(OwnTokens, DetailView):
    """One of one's own API tokens."""

    problems = ("409",)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove the token. It cannot remove itself."""
        token = self.get_object()
        if token == request.auth:
            raise Refused(_("A token cannot remove itself: use another one, or the page of the API tokens."))
        token.delete()
        return Response(status=204)
