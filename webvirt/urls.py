"""Every URL of Webvirt; each app brings its own."""

from django.urls import include, path, re_path

from api.unknown import Unknown
from console import views as console
from instances.overview import overview
from instances.search import search
from webvirt.health import healthz

urlpatterns = [
    path("", overview, name="overview"),
    path("search/", search, name="search"),
    path("healthz", healthz, name="healthz"),
    path("", include("accounts.urls")),
    path("hosts/", include("hosts.urls")),
    path("instances/", include("console.urls")),
    path("instances/", include("instances.urls")),
    path("storage/", include("storage.urls")),
    path("networks/", include("networks.urls")),
    # A task's page can stand over the console of the guest that it makes.
    path("tasks/<int:pk>/", console.task),
    path("tasks/", include("tasks.urls")),
    path("api/v1/", include("api.urls")),
    # Whatever follows: a path's own characters would leave out a line break.
    re_path("^api/", Unknown.as_view()),
]

handler500 = "webvirt.errors.server_error"
