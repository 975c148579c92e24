"""The reader of hosts: the only writer of inventory."""
