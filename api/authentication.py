"""A program that asks by bearer token; people on our pages ask by their session and its CSRF token."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts import attempts
from accounts.models import ApiToken, User


class BearerAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer TOKEN`. A token of scope read is refused (403) wherever something would change.

    An address that sent many unknown ones hears 429 instead of 401; good tokens from there are served all the same.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.objects.redeem(secret.strip())
        if token is None:
            wait = attempts.spend(attempts.UNKNOWN_TOKENS, f"address {attempts.address_of(request._request)}")
            if wait:
                raise Throttled(wait, _("Too many unknown tokens came from this address."))
            raise AuthenticationFailed(_("This token is not known, or its user may no longer come in."))
        if token.scope == ApiToken.Scope.READ and request.method not in SAFE_METHODS:
            raise PermissionDenied(_("This token may only read."))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="webvirt"'


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}
