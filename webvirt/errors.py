"""The page, or for programs the problem document, for what went wrong in Webvirt itself."""

import logging
import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from api.problems import answer, fault
from tasks.errors import DatabaseAway
from webvirt.database import is_away

log = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say so, with the reference under which the log has the traceback."""
    reference = getattr(request, "request_id", "")
    if is_away(error := sys.exc_info()[1]):
        log.warning("request %s to %s: the database does not answer: %s", reference, request.path, error)
        return database_away(request)
    log.exception("request %s to %s failed", reference, request.path)
    if request.path.startswith("/api/"):
        return fault(reference)
    return render(request, "500.html", {"request_id": reference}, status=500)


def database_away(request: HttpRequest) -> HttpResponse:
    away = DatabaseAway()
    if request.path.startswith("/api/") or request.headers.get("X-Webvirt-Toast"):
        return answer(away.problem())
    return render(request, "refused.html", {"refused": away}, status=away.status)
