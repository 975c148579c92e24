"""What the live channel does when sessions end."""

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.sessions import sessions_ended
from live.channel import publish


@receiver(sessions_ended)
def look_again(sender: Any, user: User, **kwargs: Any) -> None:
    """Every socket looks at each entry of the stream whether its session is still there, and closes if not."""
    publish("session", user.pk)
