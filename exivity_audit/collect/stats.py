"""Counts what went over the network."""

from __future__ import annotations

import threading


class Stats:
    """Counters of one transport, safe to use from several threads. `bytes_received` counts bodies as they came over the wire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        self.bytes_received = 0
        self.retries = 0
        self.methods: dict[str, int] = {}

    def count_request(self, method: str) -> None:
        """Count one request sent, tries included."""
        with self._lock:
            self.requests += 1
            self.methods[method] = self.methods.get(method, 0) + 1

    def count_bytes(self, size: int) -> None:
        """Count body bytes received."""
        with self._lock:
            self.bytes_received += size

    def count_retry(self) -> None:
        """Count one request that is asked again."""
        with self._lock:
            self.retries += 1

    def as_dict(self) -> dict[str, object]:
        """Return the counters as plain values."""
        with self._lock:
            return {
                "requests": self.requests,
                "bytes_received": self.bytes_received,
                "retries": self.retries,
                "methods": dict(sorted(self.methods.items())),
            }
