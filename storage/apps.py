from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StorageConfig(AppConfig):
    name = "storage"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from live.registry import register_model  # noqa: PLC0415
        from storage.models import Pool, Volume  # noqa: PLC0415
        from tasks.registry import titles  # noqa: PLC0415

        register_model("pool", Pool)
        register_model("volume", Volume, host="pool__host_id", uuid="pool__uuid", own_name="name")
        titles(
            {
                "storage.upload": _("Upload %(name)s"),
                "storage.refresh_pool": _("Read the pool %(name)s again"),
                "storage.make_default_pool": _("Make the pool %(name)s"),
            }
        )
