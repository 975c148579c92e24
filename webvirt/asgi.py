"""The ASGI application: a raw tus PATCH, the live channel, and Django for everything else."""

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webvirt.settings")
django.setup(set_prefix=False)

# These read models, so they come after Django is set up.
from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from live.origin import SameOrigin  # noqa: E402
from live.routing import websocket_urlpatterns  # noqa: E402
from storage.tus import route_patches  # noqa: E402
from webvirt.threads import Handler, Threads, in_kept_threads  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": in_kept_threads(route_patches(Handler()), Threads()),
        "websocket": SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)

# All this stays for good, and a page makes many objects and few rings of them: the collector of rings, which looks
# at what is there whenever so many more were made than went, need not look at the one, nor often for the other.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 10, 10)
