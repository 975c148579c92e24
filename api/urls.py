"""The API's addresses. Collections and objects end in a slash, actions do not; each is answered with and without."""

from django.urls import URLPattern, path
from rest_framework.views import APIView

from api import docs, events, hosts, instances, networks, storage, tasks, tokens, uploads


def both(route: str, view: type[APIView], name: str) -> list[URLPattern]:
    """The address as documented, and its other spelling."""
    alias = view.as_view()
    alias.is_alias = True  # type: ignore[attr-defined]
    other = route.removesuffix("/") if route.endswith("/") else f"{route}/"
    return [path(route, view.as_view(), name=name), path(other, alias)]


app_name = "api"
urlpatterns = [
    *both("hosts/", hosts.HostList, "hosts"),
    *both("hosts/<int:pk>/", hosts.HostDetail, "host"),
    *both("hosts/<int:pk>/offered-keys", hosts.OfferedKeys, "host-offered-keys"),
    *both("hosts/<int:pk>/trust-key", hosts.TrustKey, "host-trust-key"),
    *both("hosts/<int:pk>/check", hosts.HostCheck, "host-check"),
    *both("instances/", instances.InstanceList, "instances"),
    *both("instances/<int:pk>/", instances.InstanceDetail, "instance"),
    *both("instances/<int:pk>/start", instances.Start, "instance-start"),
    *both("instances/<int:pk>/start_from_cd", instances.StartFromCd, "instance-start-from-cd"),
    *both("instances/<int:pk>/shutdown", instances.Shutdown, "instance-shutdown"),
    *both("instances/<int:pk>/reboot", instances.Reboot, "instance-reboot"),
    *both("instances/<int:pk>/reset", instances.Reset, "instance-reset"),
    *both("instances/<int:pk>/destroy", instances.Destroy, "instance-destroy"),
    *both("instances/<int:pk>/suspend", instances.Suspend, "instance-suspend"),
    *both("instances/<int:pk>/resume", instances.Resume, "instance-resume"),
    *both("instances/<int:pk>/save", instances.Save, "instance-save"),
    *both("instances/<int:pk>/media", instances.Media, "instance-media"),
    *both("instances/<int:pk>/console", instances.Console, "instance-console"),
    *both("instances/<int:pk>/screenshot", instances.Screenshot, "instance-screenshot"),
    *both("instances/<int:pk>/xml", instances.Xml, "instance-xml"),
    *both("pools/", storage.PoolList, "pools"),
    *both("pools/<int:pk>/", storage.PoolDetail, "pool"),
    *both("pools/<int:pk>/start", storage.PoolStart, "pool-start"),
    *both("pools/<int:pk>/stop", storage.PoolStop, "pool-stop"),
    *both("pools/<int:pk>/refresh", storage.PoolRefresh, "pool-refresh"),
    *both("volumes/", storage.VolumeList, "volumes"),
    *both("volumes/<int:pk>/", storage.VolumeDetail, "volume"),
    *both("volumes/<int:pk>/resize", storage.Resize, "volume-resize"),
    *both("volumes/<int:pk>/clone", storage.Clone, "volume-clone"),
    *both("volumes/<int:pk>/download", storage.AskDownload, "volume-download"),
    *both("downloads/<int:pk>/", storage.Download, "download"),
    *both("uploads/", uploads.Uploads, "uploads"),
    *both("uploads/<uuid:pk>/", uploads.UploadDetail, "upload"),
    *both("networks/", networks.NetworkList, "networks"),
    *both("networks/<int:pk>/", networks.NetworkDetail, "network"),
    *both("networks/<int:pk>/start", networks.Start, "network-start"),
    *both("networks/<int:pk>/stop", networks.Stop, "network-stop"),
    *both("networks/<int:pk>/leases/", networks.LeaseList, "network-leases"),
    *both("interfaces/", networks.InterfaceList, "interfaces"),
    *both("interfaces/<int:pk>/", networks.InterfaceDetail, "interface"),
    *both("tasks/", tasks.TaskList, "tasks"),
    *both("tasks/<int:pk>/", tasks.TaskDetail, "task"),
    *both("tasks/<int:pk>/log", tasks.TaskLog, "task-log"),
    *both("tasks/<int:pk>/cancel", tasks.TaskCancel, "task-cancel"),
    *both("tokens/", tokens.TokenList, "tokens"),
    *both("tokens/<int:pk>/", tokens.TokenDetail, "token"),
    *both("events", events.Events, "events"),
    *both("schema/", docs.OpenApi, "schema"),
    path("docs/", docs.documentation, name="docs"),
]
