"""Probes against real servers on loopback (make test-probes); nothing here leaves the machine."""
