"""Errors as problem documents (RFC 9457), whatever went wrong; never HTML."""

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.views import set_rollback

from tasks.errors import DatabaseAway, Invalid, Refused
from tasks.runner import own_fault
from webvirt.database import is_away
from webvirt.sentences import blank

log = logging.getLogger(__name__)

TITLES = {
    400: gettext_lazy("The request is not understood"),
    401: gettext_lazy("Sign in first"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("This method is not for this address"),
    406: gettext_lazy("No answer in the form that was asked for"),
    413: gettext_lazy("The request is too large"),
    415: gettext_lazy("The request's body has another form than is understood here"),
    429: gettext_lazy("Too many attempts"),
}


def handler(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler. What nobody foresaw is logged with a reference and answered as 500."""
    set_rollback()
    if isinstance(error, Refused | Http404 | PermissionDenied):
        return expected(error)
    if isinstance(error, exceptions.ValidationError):
        return answer(invalid(error.detail))
    if isinstance(error, exceptions.APIException):
        return answer(problem(error.status_code, str(error.detail)), headers_of(error))
    reference = getattr(context["request"], "request_id", "")
    if is_away(error):
        log.warning("request %s: the database does not answer: %s", reference, error)
        return answer(DatabaseAway().problem())
    log.exception("An answer of the API failed by our own fault, reference %s", reference, exc_info=error)
    return fault(reference)


def expected(error: Refused | Http404 | PermissionDenied) -> HttpResponse:
    """What a service refuses, what is not there, and what is not allowed."""
    if isinstance(error, Refused):
        return answer(error.problem())
    if isinstance(error, Http404):
        return answer(problem(404, _("It does not exist, was removed, or has not been granted to you.")))
    return answer(problem(403, str(error) or _("Your role does not allow this.")))


def fault(reference: str) -> HttpResponse:
    """500: our own fault, with the reference under which the log has it."""
    words = own_fault(reference)
    document = problem(500, _(words["detail"]) % words["params"])
    return answer({**document, "title": _(words["title"])})


def problem(code: int, detail: str) -> dict[str, Any]:
    """A problem document without errors by field."""
    title = TITLES.get(code) or HTTPStatus(code).phrase
    return {"type": "about:blank", "title": str(title), "status": code, "detail": detail}


def invalid(detail: Any) -> dict[str, Any]:
    """What a serializer or filter found wrong; `errors` has a path such as `disks.0.size_bytes` for each field."""
    errors: dict[str, list[str]] = {}
    for path, word in flat(detail):
        errors.setdefault(path, []).append(word)
    of_all = errors.pop("", [])
    words = blank().join(of_all) or _("Look at the errors of each field.")
    return Invalid(words, errors={path: list(found) for path, found in errors.items()}).problem()


def flat(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from flat(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from flat(inner, f"{path}.{place}" if nested and path else path)
    else:
        yield path, str(detail)


def headers_of(error: exceptions.APIException) -> dict[str, str]:
    """What DRF wants said besides: how to sign in, and when to try again."""
    said = {"WWW-Authenticate": getattr(error, "auth_header", None), "Retry-After": getattr(error, "wait", None)}
    return {name: str(value) for name, value in said.items() if value}


def answer(document: dict[str, Any], headers: dict[str, str] | None = None) -> HttpResponse:
    return JsonResponse(document, status=document["status"], content_type="application/problem+json", headers=headers)
