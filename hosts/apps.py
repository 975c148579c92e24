from django.apps import AppConfig


class HostsConfig(AppConfig):
    name = "hosts"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from hosts import figures  # noqa: PLC0415
        from hosts.models import Host  # noqa: PLC0415
        from live.registry import register_model  # noqa: PLC0415

        register_model("host", Host, lambda ids: figures.latest("host", ids), host="pk", uuid=None)
