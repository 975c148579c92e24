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
                "storage.create_pool": _("Create the pool %(name)s"),
                "storage.start_pool": _("Start the pool %(name)s"),
                "storage.stop_pool": _("Stop the pool %(name)s"),
                "storage.autostart_pool": _("Change whether the pool %(name)s starts with its host"),
                "storage.remove_pool": _("Remove the pool %(name)s"),
                "storage.create_volume": _("Create the volume %(name)s"),
                "storage.grow_volume": _("Grow %(name)s"),
                "storage.clone_volume": _("Make the copy %(name)s"),
                "storage.delete_volume": _("Delete the volume %(name)s"),
                "storage.download": _("Download %(name)s"),
                "storage.make_default_pool": _("Make the pool %(name)s"),
            }
        )
