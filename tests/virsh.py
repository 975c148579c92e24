"""virsh, the outside witness and the outside hand."""

import subprocess


def virsh(*arguments: str) -> str:
    """What virsh says, be it an answer or a complaint."""
    done = subprocess.run(["virsh", "-q", *arguments], capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def guests(prefix: str) -> set[str]:
    """The names of the host's guests that begin with `prefix`."""
    return {name for name in virsh("list", "--all", "--name").split() if name.startswith(prefix)}


def volumes(prefix: str, pool: str = "default") -> set[str]:
    """The names of the pool's volumes that begin with `prefix`, as its disk has them now."""
    virsh("pool-refresh", pool)
    lines = virsh("vol-list", pool).splitlines()
    return {line.split()[0] for line in lines if line.strip().startswith(prefix)}
