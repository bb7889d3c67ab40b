"""The bare reads: the same URLs by the same HTTP client, over as many connections, nothing looked at.

``python bare.py KUBECONFIG REQUESTS``, a program of its own that imports nothing of the tool. REQUESTS is a JSON list of [method, path, Accept, body].
"""

from __future__ import annotations

import base64
import json
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3

CONNECTIONS = 8


def main() -> None:
    """Ask everything once and count the bytes."""
    config = json.loads(Path(sys.argv[1]).read_text())
    requests = json.loads(Path(sys.argv[2]).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    pool = urllib3.PoolManager(num_pools=1, maxsize=CONNECTIONS, block=True, ssl_context=context, retries=False)
    common = {"Authorization": f"Bearer {user['token']}", "Accept-Encoding": "gzip", "User-Agent": "bare-reads"}

    def ask(request: list[str]) -> int:
        method, path, accept, body = request
        headers = {**common, "Accept": accept, **({"Content-Type": "application/json"} if body else {})}
        response = pool.request(method, cluster["server"] + path, headers=headers, body=body or None, decode_content=False, redirect=False)
        if response.status not in (200, 201, 403, 404):
            raise SystemExit(f"{path}: {response.status}")  # less was read than the audit reads
        return len(response.data)

    with ThreadPoolExecutor(CONNECTIONS) as workers:
        print(sum(workers.map(ask, requests)))


main()
