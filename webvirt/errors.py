"""The page, or for programs the problem document, for what went wrong in Webvirt itself."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from api.problems import fault

log = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say so, with the reference under which the log has the traceback."""
    reference = getattr(request, "request_id", "")
    log.exception("request %s to %s failed", reference, request.path)
    if request.path.startswith("/api/"):
        return fault(reference)
    return render(request, "500.html", {"request_id": reference}, status=500)
