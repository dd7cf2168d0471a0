"""A model hub, a package index and a file host on loopback, with faults to order."""

from hubserver.server import COMMIT, Fault, HubServer

__all__ = ["COMMIT", "Fault", "HubServer"]
