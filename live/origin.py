"""Same origin only: ALLOWED_HOSTS is open, so the Origin is held against the Host header itself."""

from typing import Any
from urllib.parse import urlsplit

from channels.security.websocket import WebsocketDenier


class SameOrigin:
    """Refuse a WebSocket whose Origin names another host than its Host header, or that sends none."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        headers = dict(scope["headers"])
        origin = urlsplit(headers.get(b"origin", b"").decode("latin1")).netloc
        if origin and origin == headers.get(b"host", b"").decode("latin1"):
            return await self.application(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)
