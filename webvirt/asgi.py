"""The ASGI application: a raw tus PATCH, the live channel, and Django for everything else."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webvirt.settings")
django_application = get_asgi_application()

# These read models, so they come after Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from live.origin import SameOrigin  # noqa: E402
from live.routing import websocket_urlpatterns  # noqa: E402
from storage.tus import route_patches  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": route_patches(django_application),
        "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
