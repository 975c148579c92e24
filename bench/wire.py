"""One kept connection to the house, as a browser or a script holds it."""

import http.client
import re
import time
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

SECONDS = 60


@dataclass(frozen=True)
class Heard:
    """An answer: how long it took from the first byte sent to the last received, in seconds, and its body."""

    seconds: float
    body: bytes


class Wire:
    """Requests of one person (a session's cookie) or one program (a token)."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.port = port
        self.headers = headers or {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)

    @classmethod
    def signed_in(cls, port: int, name: str, password: str) -> Self:
        """A person who has signed in through the login page."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        connection.request("GET", "/login/")
        page = connection.getresponse()
        text = page.read().decode()
        csrf = cookie_of(page, "webvirt_csrf")
        field = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        assert field, "the login page has no form"
        body = urlencode({"username": name, "password": password, "csrfmiddlewaretoken": field[1]})
        connection.request(
            "POST",
            "/login/",
            body,
            {
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"webvirt_csrf={csrf}",
                "Referer": f"http://127.0.0.1:{port}/login/",
            },
        )
        answer = connection.getresponse()
        answer.read()
        assert answer.status == http.client.FOUND, f"{name} is not let in: {answer.status}"
        session = cookie_of(answer, "webvirt_session")
        return cls(port, {"Cookie": f"webvirt_session={session}; webvirt_csrf={csrf}"})

    def another(self) -> "Wire":
        """The same person, on a connection of their own."""
        return Wire(self.port, self.headers)

    def get(self, path: str) -> Heard:
        """GET `path`; AssertionError unless it is there."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - began
        assert answer.status == http.client.OK, f"{path}: {answer.status}"
        return Heard(took, body)


def cookie_of(answer: http.client.HTTPResponse, name: str) -> str:
    for line in answer.headers.get_all("Set-Cookie") or ():
        if line.startswith(f"{name}="):
            return line.removeprefix(f"{name}=").partition(";")[0]
    raise AssertionError(f"no cookie {name}")
