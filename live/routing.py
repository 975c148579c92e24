from typing import Any

from django.urls import path

from live.consumer import LiveConsumer

# Channels routes by Django's path(), whose types know views only.
websocket_urlpatterns: list[Any] = [path("ws/live/", LiveConsumer.as_asgi())]  # type: ignore[arg-type]
