"""libvirt's XML as typed objects; what they do not declare survives an edit untouched."""
