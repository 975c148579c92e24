"""A host that is reached by plain TCP, with a user and a password."""

from typing import Literal

from tests.lab.host import Host

USER, PASSWORD = "operator", "lab secret"
# libvirt wants an encrypted session on plain TCP, which of the mechanisms with a password only this one has.
SASL_CONF = "mech_list: digest-md5\nsasldb_path: /etc/libvirt/passwd.db\n"


class TcpHost(Host):
    """libvirtd with --listen on TCP and SASL: `user` and `password`, until `set_auth("none")`."""

    name = "tcp-1"
    port = 16509
    listens = "tcp"
    user, password = USER, PASSWORD

    @property
    def uri(self) -> str:
        return f"qemu+tcp://{self.address}/system"

    def libvirtd_conf(self) -> dict[str, str | int]:
        return {"listen_tcp": 1, "auth_tcp": "sasl"}

    def qemu_conf(self) -> str:
        return super().qemu_conf() + f'vnc_listen = "{self.address}"\n'

    def prepare(self) -> None:
        (self.etc / "sasl2").mkdir(exist_ok=True)
        (self.etc / "sasl2" / "libvirt.conf").write_text(SASL_CONF)

    def settle(self) -> None:
        self.set_password(PASSWORD)

    def set_password(self, password: str) -> None:
        self.run("saslpasswd2", "-p", "-c", "-a", "libvirt", "-f", "/etc/libvirt/passwd.db", self.user, stdin=password)

    def set_auth(self, auth: Literal["sasl", "none"]) -> None:
        """Ask everybody for a password, or nobody."""
        self.write_conf(auth_tcp=auth)
        self.restart_daemon()
