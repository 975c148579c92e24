"""A WebSocket to an ASGI application, without a network."""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

PATIENCE = 10.0  # seconds


class Socket(ApplicationCommunicator):
    """`headers` are pairs of bytes, as ASGI has them."""

    def __init__(self, application: Any, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
        super().__init__(application, scope)

    async def connect(self) -> bool:
        """Whether it was let in."""
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(PATIENCE))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        """The next message."""
        event = await self.receive_output(PATIENCE)
        assert event["type"] == "websocket.send", event
        return json.loads(event["text"])

    async def closed(self) -> int:
        """Read on until it is closed, and return the code."""
        while (event := await self.receive_output(PATIENCE))["type"] != "websocket.close":
            assert event["type"] == "websocket.send", event
        return int(event["code"])

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(PATIENCE)
