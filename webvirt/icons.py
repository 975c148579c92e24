"""The icons of the pages: one SVG sprite, built from Tabler's outlines by `manage.py icons`."""

from pathlib import Path

from lxml import etree

SVG = "http://www.w3.org/2000/svg"

# fmt: off
NAMES = frozenset([
    "activity", "adjustments-horizontal", "alert-triangle", "archive", "arrow-down", "arrow-left",
    "arrow-right", "arrow-up", "arrows-maximize", "arrows-right-left", "aspect-ratio", "ban", "bolt", "bug",
    "camera", "check",
    "chevron-down", "chevron-left", "chevron-right", "chevron-up", "circle-check", "circle-dashed",
    "clipboard-text", "clock", "clock-pause", "cloud-upload", "code", "container", "copy", "corner-left-up",
    "cpu", "cpu-2", "database", "device-desktop", "device-floppy", "disc", "dots", "download", "edit",
    "external-link", "eye", "file", "file-text", "file-upload", "help-circle", "history", "home",
    "info-circle", "key", "keyboard", "layout-dashboard", "link", "list-check", "loader-2", "lock",
    "logout", "maximize", "menu-2", "minimize", "moon", "network", "network-off", "photo", "pin", "pinned",
    "player-eject", "player-pause", "player-play", "player-stop", "plug", "plug-connected", "plug-x",
    "plus", "power", "refresh", "refresh-alert", "rotate-clockwise", "screenshot", "search", "server-2",
    "server-off", "settings", "shield-lock", "sun", "sun-moon", "terminal-2", "trash", "unlink", "upload",
    "user-circle", "wifi-off", "world", "x",
])
# fmt: on


def sprite(outlines: Path) -> bytes:
    """An SVG of one <symbol id="i-NAME"> for each name, from the files in `outlines`.

    Strokes are left to the page's style sheet. Raises FileNotFoundError for a name without a file.
    """
    root = etree.Element(f"{{{SVG}}}svg", nsmap={None: SVG})
    for name in sorted(NAMES):
        symbol = etree.SubElement(root, f"{{{SVG}}}symbol", id=f"i-{name}", viewBox="0 0 24 24")
        drawing = etree.fromstring((outlines / f"{name}.svg").read_bytes())
        symbol.extend(shape for shape in drawing if shape.get("stroke") != "none")
    return etree.tostring(root)
