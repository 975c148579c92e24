from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HostsConfig(AppConfig):
    name = "hosts"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from hosts import checks, figures  # noqa: PLC0415
        from hosts.models import Host  # noqa: PLC0415
        from live.registry import register_model  # noqa: PLC0415
        from tasks.registry import results, titles  # noqa: PLC0415

        register_model("host", Host, lambda ids: figures.latest("host", ids), host="pk", uuid=None)
        titles({checks.KIND: _("Check %(name)s")})
        results({checks.KIND: checks.told})
        # Something happened on the host of this id.
        register_model("happening", Host, host="pk", uuid=None, kept=True)
