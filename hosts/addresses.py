"""What a host may be called, and which addresses libvirt understands."""

import re

from django.utils.translation import gettext as _

from virt.errors import Unsupported
from virt.transport import endpoint
from webvirt.sentences import blank

LONGEST_NAME = 200
LONGEST_URI = 500
ADDRESS = re.compile(r"[a-z]+(\+[a-z0-9]+)?://[\x21-\x7e]*/[\x21-\x7e]*")
INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def fault_of_name(name: str) -> str:
    """What is wrong with a host's name, in words; "" where nothing is."""
    if not name:
        return _("Give it a name.")
    if len(name) > LONGEST_NAME:
        return _("A name has at most %(most)d characters.") % {"most": LONGEST_NAME}
    return _("A name cannot contain control or invisible characters.") if INVISIBLE.search(name) else ""


def fault_of_uri(uri: str) -> str:
    """What is wrong with a libvirt address, in words; "" where nothing is."""
    if len(uri) > LONGEST_URI or not ADDRESS.fullmatch(uri):
        return _("Write it as libvirt does: qemu:///system, or qemu+ssh://USER@ADDRESS/system.")
    try:
        endpoint(uri)
    except ValueError:
        return _("Its host or port cannot be read.")
    except Unsupported as error:
        return blank().join([_(error.detail) % error.params, _(error.hint)])
    return ""
