"""RabbitMQ of Debian's package on loopback: one node with and without TLS, its management API, users and queues of several kinds."""

from __future__ import annotations

import base64
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.probes.servers import certificates, processes
from tests.probes.servers.processes import alive, command, end, free_port, listening, run, until, written

ACCOUNT = "rabbitmq"
HOST = "rabbitmq.corp.example.net"  # the name that the certificate carries
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
ADMINISTRATOR = ("keeper", "qT7-admin-of-tests-55")
NODE = "probes@localhost"


def available() -> bool:
    """Whether RabbitMQ is installed and may be run."""
    return (PROGRAMS / "rabbitmq-server").is_file() and processes.available(ACCOUNT)


@dataclass
class Ports:
    """Where one node listens."""

    plain: int
    secure: int
    management: int
    secure_management: int
    distribution: int
    names: int


@dataclass
class Rabbit:
    """One running node."""

    folder: Path
    ports: Ports
    epmd: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """What the node and its tools run with."""
        one, f = self.ports, self.folder
        return {
            "HOME": str(f), "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_NODENAME": NODE, "RABBITMQ_CONFIG_FILE": str(f / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(f / "enabled_plugins"), "RABBITMQ_MNESIA_BASE": str(f / "mnesia"), "RABBITMQ_LOG_BASE": str(f / "log"),
            "RABBITMQ_DIST_PORT": str(one.distribution), "RABBITMQ_PID_FILE": str(f / "pid"), "ERL_EPMD_PORT": str(one.names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }  # fmt: skip

    def start(self) -> None:
        """Start the node and wait until its management API answers."""
        out = (self.folder / "out").open("ab")
        subprocess.Popen(
            command(ACCOUNT, [str(PROGRAMS / "rabbitmq-server")], self.environment), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
        )  # fmt: skip
        out.close()
        until("the management API answers", self._answers, 180)

    def _answers(self) -> bool:
        try:
            return listening(self.ports.secure) and self.api("GET", "whoami") is not None
        except OSError:
            return False

    def control(self, *arguments: str) -> str:
        """Run rabbitmqctl."""
        return run(ACCOUNT, [str(PROGRAMS / "rabbitmqctl"), "-n", NODE, *arguments], self.environment, self.folder)

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the management API as the administrator."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports.management}/api/{path}", method=method)
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(ADMINISTRATOR).encode()).decode())
        content = json.dumps(body).encode() if body is not None else None
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, content, timeout=20) as answer:
            said = answer.read()
        return json.loads(said) if said else {}

    def user(self, name: str, password: str, tags: str = "", vhost: str | None = "/") -> None:
        """Add a user, with rights on one virtual host; one with a tag may only look."""
        self.api("PUT", f"users/{quote(name)}", {"password": password, "tags": tags})
        if vhost is not None:
            self.api(
                "PUT", f"permissions/{quote(vhost, safe='')}/{quote(name)}", dict.fromkeys(("configure", "write", "read"), "^$" if tags else ".*")
            )

    @contextmanager
    def queue(self, name: str, kind: str, vhost: str = "/") -> Iterator[None]:
        """A queue, gone at the end."""
        path = f"queues/{quote(vhost, safe='')}/{quote(name)}"
        self.api("PUT", path, {"durable": True, "arguments": {"x-queue-type": kind}})
        until("the queue is listed", lambda: any(one["name"] == name and one.get("type") for one in self.api("GET", "queues")))
        try:
            yield
        finally:
            self.api("DELETE", path)

    def connections(self) -> int:
        """How many connections the node itself knows of; the management API would be late."""
        return len([line for line in self.control("--quiet", "list_connections", "pid").splitlines() if line.startswith("<")])

    def stop(self) -> None:
        """Stop the node and its name server, and wait until they are gone."""
        try:
            pid = int((self.folder / "pid").read_text())
        except (OSError, ValueError):
            pid = 0
        if pid and alive(pid):
            end(pid)
        end(self.epmd.pid)
        self.epmd.wait(10)


def broker(folder: Path, users: dict[str, str]) -> Rabbit:
    """A node on free ports; users by name and password with rights on ``/``, those named ``…_monitor`` with the tag for the API."""
    ports = Ports(*(free_port() for _ in range(6)))
    pair = certificates.signed(HOST, "mq.rabbitmq.svc")
    for name, text in (("ca.pem", certificates.authority()), ("server.pem", pair.certificate), ("server.key", pair.key)):
        written(folder / name, text, ACCOUNT)
    written(folder / ".erlang.cookie", "cookieofprobetests", ACCOUNT, 0o400)
    written(folder / "enabled_plugins", "[rabbitmq_management].\n", ACCOUNT, 0o644)
    name, password = ADMINISTRATOR
    settings = {
        "listeners.tcp.1": f"127.0.0.1:{ports.plain}", "listeners.ssl.1": f"127.0.0.1:{ports.secure}", "ssl_options.cacertfile": folder / "ca.pem",
        "ssl_options.certfile": folder / "server.pem", "ssl_options.keyfile": folder / "server.key", "ssl_options.verify": "verify_none",
        "management.tcp.ip": "127.0.0.1", "management.tcp.port": ports.management, "management.ssl.ip": "127.0.0.1",
        "management.ssl.port": ports.secure_management, "management.ssl.cacertfile": folder / "ca.pem", "management.ssl.certfile": folder / "server.pem",
        "management.ssl.keyfile": folder / "server.key", "default_user": name, "default_pass": password, "disk_free_limit.absolute": "1MB",
        "vm_memory_high_watermark.relative": "0.6",
    }  # fmt: skip
    written(folder / "rabbitmq.conf", "".join(f"{key} = {value}\n" for key, value in settings.items()), ACCOUNT)
    epmd = subprocess.Popen(
        command(ACCOUNT, ["epmd", "-port", str(ports.names), "-address", "127.0.0.1"], {"HOME": str(folder)}),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    until("the name server listens", lambda: listening(ports.names))
    made = Rabbit(folder, ports, epmd)
    try:
        made.start()
        for user, word in users.items():
            made.user(user, word, "monitoring" if user.endswith("_monitor") else "")
    except BaseException:
        made.stop()
        raise
    return made


def refused(call: Any) -> int:
    """The HTTP status that a call ends with."""
    try:
        call()
    except urllib.error.HTTPError as error:
        return error.code
    return 200
