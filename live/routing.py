from django.urls import path

from live.consumer import LiveConsumer

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi())]  # type: ignore[arg-type] # Channels' own form
