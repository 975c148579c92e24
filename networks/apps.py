from django.apps import AppConfig


class NetworksConfig(AppConfig):
    name = "networks"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from live.registry import register_model  # noqa: PLC0415
        from networks.models import Network  # noqa: PLC0415

        register_model("network", Network)
