"""How the API writes a task; `tasks.shapes` knows what it holds."""

from typing import Any

from rest_framework import serializers

from api.fields import Moment, Shape
from tasks.models import Task
from tasks.shapes import task_shape


class ObjectSerializer(Shape):
    """What a task is about. `id` is null while it is not there; a volume's `uuid` is its pool's."""

    type = serializers.CharField()
    id = serializers.IntegerField(allow_null=True)
    uuid = serializers.UUIDField(allow_null=True)
    name = serializers.CharField()
    host = serializers.IntegerField(allow_null=True)
    host_name = serializers.CharField()


class ErrorSerializer(Shape):
    """Why a task failed, and what to do next; `libvirt` is libvirt's own message."""

    title = serializers.CharField()
    detail = serializers.CharField()
    hint = serializers.CharField()
    libvirt = serializers.CharField()


class TaskSerializer(Shape):
    """A change of a host. `progress` is in percent, null where it is not known."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField(help_text="In the reader's language.")
    state = serializers.ChoiceField(choices=Task.State.choices)
    progress = serializers.IntegerField(allow_null=True, min_value=0, max_value=100)
    progress_text = serializers.CharField()
    object = ObjectSerializer()
    user = serializers.IntegerField(allow_null=True)
    user_name = serializers.CharField()
    created_at = Moment()
    started_at = Moment(allow_null=True)
    ended_at = Moment(allow_null=True)
    cancel_asked = serializers.BooleanField()
    error = ErrorSerializer(allow_null=True)
    result = serializers.JSONField(allow_null=True)
    log_url = serializers.URLField()

    def to_representation(self, task: Task) -> dict[str, Any]:
        shape = task_shape(task, self.context["request"], ids=self.context.get("related"))
        return super().to_representation(shape)


class AcceptedSerializer(Shape):
    """The answer to a change."""

    task = TaskSerializer()


class LogLineSerializer(Shape):
    """A line of a task's log."""

    at = Moment()
    text = serializers.CharField()
