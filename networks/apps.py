from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NetworksConfig(AppConfig):
    name = "networks"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from live.registry import register_model  # noqa: PLC0415
        from networks.models import Network  # noqa: PLC0415
        from tasks.registry import titles  # noqa: PLC0415

        register_model("network", Network)
        titles(
            {
                "networks.make_default_network": _("Make the network %(name)s"),
                "networks.create": _("Make the network %(name)s"),
                "networks.start": _("Start the network %(name)s"),
                "networks.stop": _("Stop the network %(name)s"),
                "networks.autostart": _("Change whether the network %(name)s starts with its host"),
                "networks.remove": _("Remove the network %(name)s"),
            }
        )
