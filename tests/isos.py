"""Installation media for tests, made of what Debian ships."""

import hashlib
import shutil
import subprocess
from pathlib import Path

NETBOOT = Path("/usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64")
IPXE = Path("/usr/lib/ipxe/ipxe.iso")
GRUB_CFG = """\
serial --unit=0
terminal_output console serial
set timeout=0
menuentry "{title}" {{
    linux /boot/linux fb=false ---
    initrd /boot/initrd.gz
}}
"""


def make_installer(folder: Path, *, title: str = "Install") -> Path:
    """Debian's real installer as an ISO of about 58 MB; another title makes other bytes."""
    root = folder / "root"
    (root / "boot" / "grub").mkdir(parents=True)
    for name in ("linux", "initrd.gz"):
        shutil.copy(NETBOOT / name, root / "boot" / name)
    (root / "boot" / "grub" / "grub.cfg").write_text(GRUB_CFG.format(title=title))
    made = folder / "debian-installer.iso"
    subprocess.run(["grub-mkrescue", "-o", str(made), str(root)], check=True, capture_output=True)
    return made


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
