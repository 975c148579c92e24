"""Which monitor writes a host's inventory."""

from django.db import models

from hosts.models import Host


class Watch(models.Model):
    """The monitor that took a host last: the only one whose writes are let through (`monitor/fence.py`)."""

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="+", primary_key=True)
    holder = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.host_id}: {self.holder}"
