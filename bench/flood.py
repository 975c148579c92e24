"""What stands in for a guest's display: as many bytes as are taken. QEMU itself sends a few pictures a second.

`python -m bench.flood PORT` sends them to whoever connects. `python -m bench.flood PORT SOCKET` is the console's
own service on the unix socket, with all that it checks, except that it opens that port in place of a display;
with SSHD HOST_KEY besides, by ssh through the sshd at that port of this machine.
"""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

BLOCK = bytes(65536)


def flood(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            client, _ = listener.accept()
            with client, suppress(ConnectionError):
                while True:
                    client.sendall(BLOCK)


def serve(port: int, path: str, sshd: str = "", host_key: str = "") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "webvirt.settings"
    import django  # noqa: PLC0415 - not needed to flood

    django.setup()
    from console import service, targets  # noqa: PLC0415 - they need Django
    from hosts.access import access_to  # noqa: PLC0415
    from hosts.models import Host  # noqa: PLC0415
    from virt.passage import passage  # noqa: PLC0415

    far = Host(uri=f"qemu+ssh://127.0.0.1:{sshd}/system", host_key=host_key)

    def connect(target: targets.Target) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port))

    def connect_by_ssh(target: targets.Target) -> socket.socket:
        with access_to(far, shared=True) as access, passage(access, f"127.0.0.1:{port}") as way:
            display = socket.socket(socket.AF_UNIX)
            display.connect(str(way))
            display.recv(1, socket.MSG_PEEK)
            return display

    targets.connect = connect_by_ssh if sshd else connect
    service.serve(Path(path))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        serve(int(sys.argv[1]), *sys.argv[2:])
    else:
        flood(int(sys.argv[1]))
