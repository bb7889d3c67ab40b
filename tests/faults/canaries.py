"""Canaries: a value of its own for every place where people and operators leave secrets, and how to find one again in any coding."""

from __future__ import annotations

import base64
import codecs
import contextlib
import gzip
import html
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from tests.builders import encode, made
from tests.products import monitoring, postgresql, rabbitmq
from tests.world import Object, World

CORE = "cAnArYhUnTeR"  # every canary holds it, so that one search finds them all
POD_SPECS = {
    "Deployment": ("spec", "template", "spec"), "StatefulSet": ("spec", "template", "spec"), "DaemonSet": ("spec", "template", "spec"), "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"), "Pod": ("spec",),
}  # fmt: skip
CANARY = re.compile(rf"x\d{{4}}{CORE}q\d{{6}}")
BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
URL = re.compile(r"^([a-z0-9+]+)://(?:[^@/]*@)?(.+)$")


class Nest:
    """Hands out canaries and remembers where each was planted."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def canary(self, place: str) -> str:
        """The canary of a place: 24 characters, no two alike."""
        return self.planted.setdefault(place, f"x{len(self.planted):04d}{CORE}q{len(self.planted) * 7919 % 1_000_000:06d}"[:24])

    def plant(self, world: World) -> World:
        """Put one at every trap of every kind of object in a world; what stands there already stays."""
        self._named(world)
        for item in world.objects:
            kind = f"{item['apiVersion']}/{item['kind']}"
            self._around(item, kind)
            if item["kind"] in POD_SPECS:
                self._pods(item, kind)
            if item["kind"] == "Secret":
                item.setdefault("data", {})["zz-more"] = encode(self.canary("Secret data"))
                item["stringData"] = {"x": self.canary("Secret stringData")}
            if item["kind"] == "ConfigMap":
                item.setdefault("data", {})["more.conf"] = f"password = {self.canary('ConfigMap data')}"
                item["binaryData"] = {"x": encode(self.canary("ConfigMap binaryData"))}
            self._urls(item, kind)
        return world

    def _named(self, world: World) -> None:
        """The traps that operators and people are known for: connection texts in Secrets, receivers, webhooks, parameters, what events quote."""
        brokers = [item for item in world.all("Secret") if item["metadata"]["name"] == f"{rabbitmq.NAME}-default-user"]
        for item in brokers:
            item["data"] |= {
                "connection_string": encode(f"amqp://default_user_x:{self.canary('RabbitMQ connection_string')}@mq.rabbitmq.svc:5672/"),
                "default_user.conf": encode(f"default_user = x\ndefault_pass = {self.canary('RabbitMQ default_user.conf')}\n"),
            }
        world.add(self._application_secret(), *self._basic_auth(world), *self._events())
        texts = {False: self._receivers("given"), True: self._receivers("generated")}
        for item in world.all("Secret"):
            if item["metadata"]["name"].startswith(f"alertmanager-{monitoring.ALERTMANAGER}"):
                packed = "alertmanager.yaml.gz" in item["data"]
                content = texts[packed].encode()
                item["data"]["alertmanager.yaml.gz" if packed else "alertmanager.yaml"] = encode(
                    gzip.compress(content, mtime=0) if packed else content
                )
        if "alertmanagerconfigs.monitoring.coreos.com" in world.resources:
            world.add(self._receivers_object(world))
        for item in world.all("velero.io/BackupStorageLocation"):
            item["spec"]["config"] |= {
                "profile": self.canary("Velero config"), "customerKeyEncryptionSecret": self.canary("Velero config secret"),
                "resticRepoPrefix": f"s3:https://u:{self.canary('Velero config repository')}@s3.acme.eu/x", "checksumAlgorithm": f"password={self.canary('Velero config text')}",
                "publicUrl": f"https://s3.acme.eu/?X-Amz-Signature={self.canary('Velero config signature')}",
            }  # fmt: skip
        for item in (*world.all("velero.io/Backup"), *world.all("velero.io/Schedule")):
            spec = item["spec"]["template"] if item["kind"] == "Schedule" else item["spec"]
            spec["hooks"] = {
                "resources": [{"name": "x", "pre": [{"exec": {"command": ["sh", "-c", f"PGPASSWORD={self.canary('Velero hook')} pg_dump"]}}]}]
            }
        for item in world.all("Application"):
            item["spec"]["source"].setdefault("helm", {}).update({
                "parameters": [{"name": "secret.appKey", "value": self.canary("Argo CD parameter")}, {"name": self.canary("Argo CD parameter name"), "value": "x"}],
                "values": f"secret:\n  jwtSecret: {self.canary('Argo CD values')}\n", "valuesObject": {"rabbitmq": {"auth": {"password": self.canary("Argo CD values object")}}},
                "fileParameters": [{"name": "x", "path": f"https://u:{self.canary('Argo CD file parameter')}@git.acme.eu/x"}],
            })  # fmt: skip
            item["spec"]["source"]["plugin"] = {"env": [{"name": "TOKEN", "value": self.canary("Argo CD plugin")}]}
            item["metadata"].setdefault("annotations", {})["notifications.argoproj.io/subscribe.on-sync-failed.slack"] = self.canary(
                "Argo CD notification"
            )

    def _application_secret(self) -> Object:
        """What CloudNativePG writes for the application of a Cluster."""
        host = f"{postgresql.NAME}-rw.{postgresql.SPACE}"
        word = {key: self.canary(f"CloudNativePG {key}") for key in ("password", "uri", "fqdn-uri", "jdbc-uri", "fqdn-jdbc-uri", "pgpass")}
        data = {
            "username": "app", "user": "app", "dbname": "exivity", "host": host, "port": "5432", "password": word["password"],
            "uri": f"postgresql://app:{word['uri']}@{host}:5432/exivity", "fqdn-uri": f"postgresql://app:{word['fqdn-uri']}@{host}.svc.cluster.local:5432/exivity",
            "jdbc-uri": f"jdbc:postgresql://{host}:5432/exivity?password={word['jdbc-uri']}&user=app",
            "fqdn-jdbc-uri": f"jdbc:postgresql://{host}.svc.cluster.local:5432/exivity?password={word['fqdn-jdbc-uri']}&user=app",
            "pgpass": f"{host}:5432:exivity:app:{word['pgpass']}\n",
        }  # fmt: skip
        labels = {"cnpg.io/cluster": postgresql.NAME, "cnpg.io/userType": "app"}
        return made("v1", "Secret", f"{postgresql.NAME}-app", postgresql.SPACE, metadata={"labels": labels}, type="kubernetes.io/basic-auth",
                    data={key: encode(value) for key, value in data.items()})  # fmt: skip

    def _basic_auth(self, world: World) -> list[Object]:
        """An htpasswd file that an Ingress asks for, and the same for Traefik."""
        for item in world.all("Ingress"):
            item["metadata"].setdefault("annotations", {}).update({
                "nginx.ingress.kubernetes.io/auth-secret": "basic-auth", "nginx.ingress.kubernetes.io/auth-url": f"https://u:{self.canary('Ingress auth-url')}@sso.acme.eu",
                "nginx.ingress.kubernetes.io/server-snippet": f'proxy_set_header Authorization "Basic {self.canary("Ingress snippet header")}";',
            })  # fmt: skip
        return [
            made("v1", "Secret", "basic-auth", "exivity", type="Opaque", data={"auth": encode(f"admin:$apr1$salt$ {self.canary('Ingress basic-auth')}\n")}),
            made("v1", "Secret", "registry", "exivity", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": encode(json.dumps(
                {"auths": {"registry.corp": {"username": "u", "password": self.canary("pull secret"), "auth": encode(f"u:{self.canary('pull secret auth')}")}}}))}),
        ]  # fmt: skip

    def _events(self) -> list[Object]:
        """Events quote what failed; those of volumes are read."""
        quotes = {
            "FailedAttachVolume": "AttachVolume.Attach failed: mount //u:{}@nas/x", "FailedMount": "mount -o username=a,password={} failed", "Failed": "pull https://u:{}@registry.corp: denied",
            "BackOff": "Authorization: Bearer {}",
        }  # fmt: skip
        return [
            made(
                "v1", "Event", f"quoting-{reason.lower()}", "exivity", reason=reason, type="Warning", message=text.format(self.canary(f"event {reason}")),
                note=self.canary(f"event note {reason}"), source={"component": self.canary(f"event source {reason}")},
                involvedObject={"kind": "Pod", "namespace": "exivity", "name": "x", "fieldPath": self.canary(f"event path {reason}")},
            )
            for reason, text in quotes.items()
        ]  # fmt: skip

    def _receivers(self, which: str) -> str:
        """Alertmanager's configuration with a secret in every kind of receiver."""
        word = {
            kind: self.canary(f"Alertmanager {kind} ({which})")
            for kind in (
                "slack",
                "webhook",
                "webhook header",
                "webhook user",
                "pagerduty",
                "opsgenie",
                "telegram",
                "mail",
                "proxy",
                "teams",
                "global",
            )
        }
        return f"""\
global:
  slack_api_url: https://hooks.slack.com/services/T0/B0/{word["global"]}
route:
  receiver: operations
receivers:
  - name: operations
    email_configs:
      - {{to: operations@acme.eu, from: alerts@acme.eu, smarthost: "smtp.acme.eu:587", auth_username: a, auth_password: {word["mail"]}}}
    slack_configs:
      - {{channel: x, api_url: "https://hooks.slack.com/services/T1/B1/{word["slack"]}"}}
    msteams_configs:
      - {{webhook_url: "https://acme.webhook.office.com/webhookb2/{word["teams"]}"}}
    webhook_configs:
      - url: https://u:{word["webhook user"]}@hook.acme.eu/services/{word["webhook"]}
        http_config: {{proxy_url: "http://u:{word["proxy"]}@proxy", authorization: {{credentials: {word["webhook header"]}}}}}
    pagerduty_configs:
      - {{routing_key: {word["pagerduty"]}}}
    opsgenie_configs:
      - {{api_key: {word["opsgenie"]}}}
    telegram_configs:
      - {{bot_token: "{word["telegram"]}", chat_id: 7}}
"""

    def _receivers_object(self, world: World) -> Object:
        version, kind, _ = world.resources["alertmanagerconfigs.monitoring.coreos.com"]
        receiver = {
            "name": "operations", "webhookConfigs": [{"url": f"https://u:{self.canary('AlertmanagerConfig user')}@hook.acme.eu/{self.canary('AlertmanagerConfig webhook')}"}],
            "slackConfigs": [{"channel": self.canary("AlertmanagerConfig channel"), "text": self.canary("AlertmanagerConfig text")}],
            "emailConfigs": [{"to": "operations@acme.eu", "headers": [{"key": "X-Token", "value": self.canary("AlertmanagerConfig header")}]}],
        }  # fmt: skip
        return made(
            f"monitoring.coreos.com/{version}", kind, "operations", "exivity", spec={"route": {"receiver": "operations"}, "receivers": [receiver]}
        )

    def _around(self, item: Object, kind: str) -> None:
        metadata = item["metadata"]
        annotations = metadata["annotations"] = dict(metadata.get("annotations") or {})
        applied = "kubectl.kubernetes.io/last-applied-configuration"
        annotations[applied] = annotations.get(applied, "") + json.dumps({"data": {"password": self.canary(f"{kind} last applied")}})
        annotations["internal.corp/note"] = self.canary(f"{kind} annotation")
        metadata["managedFields"] = [
            {
                "manager": f"kubectl {self.canary(f'{kind} manager')}",
                "operation": "Update",
                "fieldsV1": {f"f:{self.canary(f'{kind} managed field')}": {}},
            }
        ]
        metadata["selfLink"] = f"/{self.canary(f'{kind} self link')}"
        metadata["finalizers"] = [*(metadata.get("finalizers") or []), self.canary(f"{kind} finalizer")]
        for part in ("spec", "status"):
            if isinstance(item.get(part), dict):
                item[part]["zzNote"] = self.canary(f"{kind} unknown {part}")
                item[part]["password"] = self.canary(f"{kind} {part}.password")
                for key in ("error", "message"):
                    item[part][key] = f"{item[part].get(key, '')} token={self.canary(f'{kind} {part} message')}"
        for condition in (item.get("status") or {}).get("conditions") or []:
            condition["message"] = f"{condition.get('message', '')} login https://u:{self.canary(f'{kind} condition')}@h failed"

    def _pods(self, item: Object, kind: str) -> None:
        spec: Any = item
        for step in POD_SPECS[item["kind"]]:
            spec = spec[step]
        for container in spec.get("containers") or []:
            container["env"] = [
                *(container.get("env") or []),
                {"name": "PASSWORD", "value": self.canary(f"{kind} env")},
                {"name": f"X_{self.canary(f'{kind} env name')}", "value": "1"},
            ]
            container["envFrom"] = [{"prefix": self.canary(f"{kind} env prefix")}]
            container["args"] = [
                *(container.get("args") or []),
                f"--password={self.canary(f'{kind} args')}",
                "--token",
                self.canary(f"{kind} args in two"),
            ]
            container["livenessProbe"] = {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": self.canary(f"{kind} probe header")}]}}
            container["lifecycle"] = {"preStop": {"exec": {"command": [self.canary(f"{kind} hook")]}}}
        spec["initContainers"] = [{"name": "first", "image": "busybox", "env": [{"name": "P", "value": self.canary(f"{kind} init env")}]}]
        spec["volumes"] = [
            *(spec.get("volumes") or []),
            {"name": "x", "csi": {"driver": "smb", "volumeAttributes": {"password": self.canary(f"{kind} volume")}}},
        ]
        spec["hostAliases"] = [{"ip": "10.0.0.1", "hostnames": [self.canary(f"{kind} host alias")]}]

    def _urls(self, value: Any, kind: str) -> None:
        """User info and a signature in every URL there is."""
        pairs: Any = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
        for key, inner in pairs:
            found = URL.match(inner) if isinstance(inner, str) else None
            if found and CORE not in inner and found[1] in ("http", "https", "s3", "cifs", "nfs", "amqp", "postgresql"):
                place = f"{kind} {key}"
                value[key] = f"{found[1]}://u:{self.canary(f'{place} user info')}@{found[2]}?X-Amz-Signature={self.canary(f'{place} signature')}"
            else:
                self._urls(inner, kind)


def codings(core: str = CORE) -> dict[str, str]:
    """What is left of a text that holds the core in each coding; the edges that depend on what stands beside it are cut off."""
    raw = core.encode()
    found = {}
    for shift in range(3):  # the characters that the core alone decides
        coded = base64.b64encode(b"\0" * shift + raw).decode()
        found[f"base64 at {shift}"] = coded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
    found |= {
        "raw": core, "hex": raw.hex(), "HEX": raw.hex().upper(), "percent": "".join(f"%{byte:02X}" for byte in raw), "JSON": "".join(f"\\u{byte:04x}" for byte in raw),
        "HTML": "".join(f"&#{byte};" for byte in raw), "HTML hex": "".join(f"&#x{byte:x};" for byte in raw), "reversed": core[::-1], "rot13": codecs.encode(core, "rot13"),
        "spaced": " ".join(core), "UTF-16": "\0".join(core), "base32": base64.b32encode(raw + b"\0" * (-len(raw) % 5)).decode()[:16], "octal": "".join(f"\\{byte:03o}" for byte in raw),
    }  # fmt: skip
    return found


def standing(nest: Nest, answers: Iterable[bytes]) -> set[str]:
    """The places whose canary stands in some answers of an API server: as it is, or in what they hold as base64, gzip or both."""
    text = b"\n".join(piece for answer in answers for piece in _unfolded(json.loads(answer))).decode("utf-8", "replace")
    seen = set(CANARY.findall(text))
    return {place for place, value in nest.planted.items() if value in seen}


def _unfolded(value: Any) -> Iterator[bytes]:
    """Every text of a JSON value, and what is packed in it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key.encode()
            yield from _unfolded(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _unfolded(inner)
    elif isinstance(value, str):
        yield from _opened(value.encode())


def _opened(content: bytes) -> Iterator[bytes]:
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield from _opened(gzip.decompress(content))
    elif content.startswith(b"{"):
        with contextlib.suppress(ValueError):
            yield from _unfolded(json.loads(content))
    elif len(content) >= 16 and BASE64.fullmatch(content):
        with contextlib.suppress(ValueError):
            yield from _opened(base64.b64decode(content, validate=True))


NEEDLES = codings()
FOLDED = {name: needle.casefold() for name, needle in NEEDLES.items()}


def traces(content: bytes) -> Iterator[str]:
    """The codings in which a canary stands in some bytes, also inside what is packed, and across line wraps."""
    for text in _texts(content):
        folded, joined = text.casefold(), re.sub(r"\s+", "", text)
        for name, needle in NEEDLES.items():
            if needle in text or needle in joined or (not name.startswith("base64") and FOLDED[name] in folded):
                yield name


def _texts(content: bytes) -> Iterator[str]:
    yield content.decode("utf-8", "replace")
    yield html.unescape(content.decode("latin-1"))
    if content.startswith(b"\x1f\x8b"):
        yield from _texts(gzip.decompress(content))
    if content.startswith(b"PK"):
        with zipfile.ZipFile(BytesIO(content)) as packed:
            for name in packed.namelist():
                yield name
                yield from _texts(packed.read(name))
