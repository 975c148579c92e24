from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        # Models load after the apps do, so these cannot stand at the top.
        from live.registry import register_model  # noqa: PLC0415
        from tasks.models import Task  # noqa: PLC0415

        register_model("task", Task, kept=True)
