"""Holds back what a host sends: `delay.py MILLISECONDS ADDRESS NETWORK`, run inside the host.

Not every kernel has tc's netem. Packets for NETWORK are led into a tun device, wait here, and go on
through a raw socket whose mark leads past the device. Ends with SIGTERM; the device goes with it, and the
routes through the device too.

Runs outside the project: nothing of it is imported.
"""

import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "delay"
TABLE, MARK = "77", 77


def main(delay: float, address: str, network: str) -> None:
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH14x", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    for command in (
        f"ip link set {DEVICE} up txqueuelen 10000",
        f"ip route add {network} dev {DEVICE} src {address} table {TABLE}",
    ):
        subprocess.run(command.split(), check=True)
    # A rule outlives its device: there is one already where the host has been slow before.
    rule = ("rule", "add", "not", "fwmark", str(MARK), "lookup", TABLE)
    subprocess.run(["ip", *rule], check=False, stderr=subprocess.DEVNULL)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    waiting: deque[tuple[float, bytes]] = deque()
    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        if select.select([tun], [], [], pause)[0]:
            waiting.append((time.monotonic() + delay, os.read(tun, 65536)))
        while waiting and waiting[0][0] <= time.monotonic():
            packet = waiting.popleft()[1]
            if packet[0] >> 4 == 4:
                with suppress(OSError):  # a packet that cannot go is a lost one, as on any wire
                    out.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


if __name__ == "__main__":
    main(float(sys.argv[1]) / 1000, sys.argv[2], sys.argv[3])
