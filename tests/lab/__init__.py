"""Several libvirt hosts on one machine, for tests: see README.md."""
