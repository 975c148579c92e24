"""The libvirt layer: connections, typed XML, operations and errors, and nothing of Django.

Only this package imports libvirt. Its functions take a `Connection` and plain values and give back
frozen dataclasses; a libvirt handle never leaves it. Every failure is a `virt.errors.VirtError`.
"""
