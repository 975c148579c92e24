"""The overview: what needs attention, hosts, guests by state, last tasks."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "instances/overview.html")
