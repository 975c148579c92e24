from django.apps import AppConfig


class InstancesConfig(AppConfig):
    name = "instances"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from hosts import figures  # noqa: PLC0415
        from instances.models import Instance  # noqa: PLC0415
        from live.registry import register_model  # noqa: PLC0415

        register_model("instance", Instance, lambda ids: figures.latest("instance", ids))
