"""Canaries at every place where people put secrets: none of them reaches the snapshot or a report, in no encoding."""

from __future__ import annotations

import base64
import gzip
import json
from functools import cache

import pytest

from exivity_audit.actions import register
from exivity_audit.collect.net import MARK, caught, marks, strained
from exivity_audit.config import Config, thresholds_of
from exivity_audit.evaluate import evaluate
from exivity_audit.exit_code import Limit, exit_code
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.reports.action_register import action_register
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.run_info import RunInfo
from exivity_audit.reports.short import render_short
from exivity_audit.reports.terminal import render_terminal
from exivity_audit.reports.values_overlay import values_overlay
from exivity_audit.score import scorecard
from exivity_audit.snapshot import encode as encode_snapshot
from tests import builders
from tests.builders import WORKERS, Installation, encode, made
from tests.judging import site_of, snapshot_of
from tests.world import Object, World

PLANTED: dict[str, str] = {}


def canary(place: str) -> str:
    """A distinct value for a place."""
    return PLANTED.setdefault(place, f"cAnArY{len(PLANTED):03d}hunter{len(PLANTED) * 7919 % 1000:03d}")


def everywhere(world: World) -> None:
    """What kubectl and the API server copy along, and what a pod spec holds beside what is kept."""
    for item in world.objects:
        annotations = item["metadata"].setdefault("annotations", {})
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps({"data": {"password": canary("last-applied")}})
        annotations["internal.corp/note"] = canary("annotation")
        item["metadata"]["managedFields"] = [{"manager": "helm", "fieldsV1": {"f:data": {f"f:{canary('managed field')}": {}}}}]
        item["metadata"]["selfLink"] = canary("self link")
    for item in world.objects:
        if item["kind"] not in ("Deployment", "Pod"):
            continue
        spec = item["spec"]["template"]["spec"] if item["kind"] == "Deployment" else item["spec"]
        own = item["metadata"].get("namespace") == "exivity"
        for container in spec["containers"]:
            container["env"] = [{"name": "PASSWORD", "value": canary("env")}]
            container["envFrom"] = [{"prefix": canary("env prefix")}]
            container["livenessProbe"] = {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": canary("probe header")}]}}
            container["lifecycle"] = {"postStart": {"exec": {"command": [canary("hook")]}}}
            container.setdefault("resources", {})["note"] = canary("resources")
            container["resources"].setdefault("limits", {})["cpu"] = canary("limit")
            container["workingDir"] = canary("working directory")
            if own:
                container["args"], container["command"] = (
                    [f"--password={canary('args')}", "--token", canary("args in two")],
                    ["sh", "-c", canary("command")],
                )
        spec["initContainers"] = [
            {"name": "first", "image": f"u:{canary('init image')}@registry.corp/busybox:1", "env": [{"name": "P", "value": canary("init env")}]}
        ]
        spec["volumes"] = [
            *spec.get("volumes", []),
            {"name": "x", "csi": {"driver": "smb", "volumeAttributes": {"password": canary("inline volume")}}},
        ]


def product(world: World) -> None:
    """The release's own ConfigMaps, Secrets, Services and images."""
    for name, key in (
        ("app-key", "EXIVITY_APP_KEY"),
        ("jwt-secret", "EXIVITY_JWT_SECRET"),
        ("licence-key", "license.key"),
        ("postgres-secret", "POSTGRES_PASSWORD"),
    ):
        world.edit(
            "Secret",
            f"exivity-{name}",
            lambda item, key=key, name=name: item["data"].update({key: encode(canary(name)), "more": encode(canary(f"{name} more"))}),
        )
    world.edit("ConfigMap", "exivity-postgres-config", lambda item: item["data"].update(
        POSTGRES_HOST=f"exivity:{canary('host')}@db.acme.eu", POSTGRES_PORT=f"5432 password={canary('port')}", POSTGRES_DB=f"exivity?password={canary('database')}",
        POSTGRES_SSLMODE=f"disable password={canary('sslmode')}", POSTGRES_USER=f"exivity/{canary('user')}", POSTGRES_PASSWORD=canary("map password"),
    ))  # fmt: skip
    world.edit("ConfigMap", "exivity-proximity-api-env", lambda item: item["data"].update(
        TRUSTED_PROXY=f"10.42.0.0/16, http://u:{canary('trusted proxy')}@proxy, password={canary('trusted proxy item')}", OTHER=canary("environment"),
    ))  # fmt: skip
    world.edit("ConfigMap", "exivity-config-logfiles", lambda item: item["data"].update(TOKEN=canary("logfiles")))
    hosts = (
        f"postgres://u:{canary('config url')}@h/db", f"postgres://h/db/{canary('config path')}", f"h,password={canary('config list')}",
        f"h?password=a@{canary('config at')}", f"u:{canary('config slash')}/x@h", f"h;pwd={canary('config semicolon')}", f"h {canary('config space')}",
    )  # fmt: skip
    for number, item in enumerate(item for item in world.all("ConfigMap") if "config.json" in item["data"]):
        content = json.loads(item["data"]["config.json"])
        content["db"]["parameters"].update(
            host=hosts[number % len(hosts)], port=f"5432;password={canary('config port')}", sslmode=f"x{canary('config sslmode')}", dbname=f"x password={canary('config database')}",
            user=f"u/{canary('config user')}", password=canary("config password"), options=canary("config options"),
        )  # fmt: skip
        content["mq"].update(
            user=f"u:{canary('broker user')}", vhost=f"amqp://u:{canary('vhost')}@h/v?password={canary('vhost query')}", password=canary("broker password"),
            uri=canary("broker uri"), servers=[{"host": f"app:{canary('broker host')}@mq", "port": canary("broker port"), "secure": canary("broker secure"), "token": canary("broker token")}],
        )  # fmt: skip
        content.update(smtp={"password": canary("config extra")}, db2=[canary("config list extra")])
        item["data"]["config.json"] = json.dumps(content)
    world.edit("Service", "exivity-glass", lambda item: item["spec"].update(externalName=f"u:{canary('external name')}@h"))
    world.edit(
        "Deployment",
        "exivity-glass",
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(image=f"u:{canary('image')}@registry.corp/glass:1"),
    )
    world.edit(
        "Deployment",
        "exivity-edify",
        lambda item: item["spec"]["template"]["spec"]["containers"][0].update(image=f"registry.corp/edify:1?token={canary('image query')}"),
    )
    world.edit(
        "Ingress",
        "exivity",
        lambda item: item["metadata"]["annotations"].update({"nginx.ingress.kubernetes.io/configuration-snippet": canary("snippet")}),
    )
    world.edit(
        "Secret",
        "exivity-tls",
        lambda item: item["data"].update({"tls.key": encode(canary("tls key")), canary("key name"): encode(canary("tls extra"))}),
    )
    pod = next(item for item in world.all("Pod") if item["metadata"].get("namespace") == "exivity")
    pod["status"]["conditions"].append(
        {"type": "Odd", "status": "True", "message": f"pull https://u:{canary('message')}@registry.corp failed, token={canary('message token')}"}
    )
    world.add(
        made(
            "v1",
            "Event",
            "attach",
            "exivity",
            reason="FailedAttachVolume",
            message=canary("event"),
            involvedObject={"kind": "Pod", "name": "x", "fieldPath": canary("event path")},
        )
    )


def helm(world: World) -> None:
    """Helm's stored release."""
    one = Installation(nodes=WORKERS, replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
    given = one.values()
    given["licence"], given["foo"] = canary("values licence"), {"password": canary("values extra")}
    given["secret"] = {"appKey": canary("values app key"), "jwtSecret": {"x": canary("values object")}, "other": canary("values secret other")}
    given["ingress"].update(
        annotations={"auth": canary("values annotation")},
        trustedProxy=f"http://u:{canary('values proxy')}@x",
        tls={"secret": {"key": canary("values tls")}},
    )
    given["storage"]["pvcSizes"].update({"password": canary("values sizes"), canary("values size key"): "1Gi"})
    given["storage"]["pvcSizes"]["data"].update(report=canary("values size"), extra=canary("values size extra"))
    given["storage"]["permissions"] = {"enabled": [canary("values list")]}
    given["postgresql"].update(
        host=f"u:{canary('values host')}@x", port=f"5432?password={canary('values port')}", sslmode=f"require&password={canary('values sslmode')}"
    )
    given["rabbitmq"].update(vhost=f"/v?password={canary('values vhost')}", auth={"username": "x", "password": canary("values broker")})
    given["service"] = {
        "registry": f"https://u:{canary('values registry')}@reg",
        "tag": f"1@{canary('values tag')}",
        "glass": {"env": canary("values env")},
    }
    world.remove("Secret", "sh.helm.release.v1.exivity.v1")
    stored = one.revision(1, given)
    content = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(stored["data"]["release"]))))
    content.update(manifest=canary("manifest"), hooks=[canary("helm hook")])
    content["info"].update(notes=canary("notes"), description=canary("description"))
    content["chart"].update(values={"x": canary("chart values")}, templates=[{"data": canary("template")}])
    stored["data"]["release"] = encode(base64.b64encode(json.dumps(content).encode()))
    world.add(stored)


def around(world: World) -> None:
    """Storage, Longhorn, ingress controllers and another installation."""
    world.edit(
        "StorageClass",
        "longhorn",
        lambda item: item.update(mountOptions=[f"username=a,password={canary('class option')},{canary('class option alone')}", "nfsvers=4.1"]),
    )
    world.edit("StorageClass", "longhorn", lambda item: item["parameters"].update(
        server=f"u:{canary('class server')}@nas", nfsOptions=f"vers=4.1,pass={canary('class nfs')}", share=f"//u:{canary('class share')}@nas/x", password=canary("class password"),
    ))  # fmt: skip
    for item in world.all("PersistentVolume"):
        item["spec"]["mountOptions"] = [f"password={canary('volume option')}", f"vers={canary('version option')}"]
        item["spec"]["csi"]["volumeAttributes"] = {
            "server": f"u:{canary('volume server')}@nas",
            "share": f"s?password={canary('volume share')}",
            "password": canary("volume password"),
        }
        item["spec"]["csi"]["nodeStageSecretRef"] = {"name": canary("volume secret")}
    space = "longhorn-system"
    world.add(
        made("longhorn.io/v1beta2", "Setting", "backup-target", space, value=f"cifs://u:{canary('backup target')}@nas/x"),
        made("longhorn.io/v1beta2", "Setting", "registry-secret", space, value=canary("registry secret")),
        made("longhorn.io/v1beta2", "Setting", "http-proxy", space, value=canary("plain setting")),
    )
    world.edit("Deployment", "traefik", lambda item: item["spec"]["template"]["spec"]["containers"][0]["args"].extend([
        f"--providers.kubernetesIngress.token={canary('traefik token')}", f"--providers.kubernetesCRD.endpoint=https://u:{canary('traefik endpoint')}@h",
        f"--certificatesResolvers.x.acme.eab.hmacEncoded={canary('traefik hmac')}", "--providers.kubernetesCRD.token", canary("traefik two"),
        f"--entryPoints.web.http.middlewares={canary('traefik middleware')}", f"--experimental.plugins={canary('traefik plugin')}",
    ]))  # fmt: skip
    other = Installation(namespace="two", release="two", nodes=WORKERS, replicas=2, class_name="longhorn", access_mode="ReadWriteMany")
    for item in other.objects("driver.longhorn.io"):
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "two-postgres-config":
            item["data"].update(
                POSTGRES_HOST=f"u:{canary('other host')}@db.two",
                POSTGRES_DB=f"x?password={canary('other database')}",
                POSTGRES_PASSWORD=canary("other password"),
            )
        if item["kind"] == "ConfigMap" and item["metadata"]["name"] == "two-config-shared":
            item["data"] = {
                "config.json": item["data"]["config.json"].replace('"db.acme.eu"', f'"h,password={canary("other config")}"'),
                "x": canary("other extra"),
            }
        if item["kind"] in ("Deployment", "ConfigMap"):
            world.add(item)


def database(world: World) -> None:
    """CloudNativePG, its object stores and backups, and a CronJob that dumps."""
    address = f"https://u:{canary('store user')}@s3.acme.eu/x?X-Amz-Signature={canary('store signature')}"
    store = {
        "destinationPath": f"s3://key:{canary('bucket user')}@bucket/path;token={canary('bucket token')}", "endpointURL": address,
        "s3Credentials": {"accessKeyId": {"name": canary("store secret name"), "key": "k"}}, "data": {"additionalCommandArgs": [f"--password={canary('store args')}"]},
    }  # fmt: skip

    def change(item: Object) -> None:
        item["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": canary("cluster applied")}
        item["spec"] |= {
            "env": [{"name": "P", "value": canary("cluster env")}], "backup": {"barmanObjectStore": store},
            "imageName": f"u:{canary('cluster image')}@registry.corp/postgresql:17.6",
            "externalClusters": [{"name": "a", "connectionParameters": {"host": "h", "password": canary("connection password")}, "barmanObjectStore": store}],
        }  # fmt: skip
        item["spec"]["bootstrap"]["initdb"]["postInitSQL"] = [f"ALTER USER a PASSWORD '{canary('init statement')}'"]
        item["spec"]["plugins"][0]["parameters"]["token"] = canary("plugin parameter")
        item["spec"]["postgresql"] = {"parameters": {"primary_conninfo": canary("parameter")}, "pg_hba": [canary("hba")]}
        item["status"]["conditions"][0]["message"] = canary("condition message")
        item["status"]["phaseReason"] = canary("phase reason")

    world.edit("Cluster", "pg", change, "databases")
    world.edit("ObjectStore", "pg-store", lambda item: item["spec"].update(configuration=store))
    world.edit("postgresql.cnpg.io/Backup", "pg-daily-0", lambda item: item["status"].update(
        error=canary("backup error"), commandOutput=canary("backup output"), destinationPath=address, endpointURL=address, pluginMetadata={"x": canary("backup metadata")},
    ))  # fmt: skip
    container = {
        "name": "dump", "image": "postgres:17", "command": ["sh", "-c", f"PGPASSWORD={canary('dump command')} pg_dump"], "args": ["--password", canary("dump argument")],
        "env": [{"name": "PGPASSWORD", "value": canary("dump environment")}],
    }  # fmt: skip
    for space in ("exivity", "databases"):
        world.add(
            made(
                "batch/v1",
                "CronJob",
                f"dump-{space}",
                space,
                spec={"schedule": "0 2 * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}}},
            )
        )


@cache
def outputs() -> dict[str, str]:
    """The snapshot and every report of a cluster full of canaries."""
    world = builders.multi_node()
    for plant in (product, helm, around, database, everywhere):
        plant(world)
    snapshot = snapshot_of(site_of(world, namespace="exivity"))
    pack, config = own_pack(), Config()
    judged = evaluate(snapshot, pack, config, thresholds=thresholds_of(config, pack.thresholds, None), lifecycle=load_lifecycle(None))
    card = scorecard(judged)
    code, reason = exit_code(card, Limit())
    run = RunInfo(
        tool_version="0.1.0", started=snapshot.started, finished=snapshot.finished, flags=(), requests=1, bytes_received=1, seconds=0.1, writes=0,
        identity="tester", snapshot_file=None, exit_code=code, exit_reason=reason,
    )  # fmt: skip
    return {
        "snapshot": encode_snapshot(snapshot).decode(),
        "json": json_report(card, run).decode(),
        "terminal": render_terminal(card, run, width=200, colour=False, ascii=False, verbose=True, explain_score=True),
        "short": render_short(card, run),
        "fixes": values_overlay(card, register(card), snapshot.sites[0]),
        "actions": action_register(card, register(card)),
    }


def traces(value: str) -> set[str]:
    """A value plain, in base64 and base64url at any offset, and in hex; also in one case."""
    raw = value.encode()
    coded = [base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)]
    return {
        value.lower(),
        raw.hex(),
        *coded,
        *(text.replace("+", "-").replace("/", "_") for text in coded),
        base64.b64encode(raw).decode().rstrip("="),
    }


def test_every_output_holds_something_and_no_canary() -> None:
    shown = outputs()
    assert len(set(PLANTED.values())) == len(PLANTED) >= 60
    assert '"db.two"' in shown["snapshot"]
    assert "secrets/app-key" in shown["json"]
    found = sorted(
        f"{place} in {name}"
        for name, text in shown.items()
        for lowered in [text.lower()]
        for place, value in PLANTED.items()
        if any(trace in lowered or trace in text for trace in traces(value))
    )
    assert found == []


def test_what_is_kept_beside_the_canaries() -> None:
    text = outputs()["snapshot"]
    for kept in (
        "registry.corp/glass:1",
        "db.acme.eu",
        "10.42.0.0/16, proxy",
        "nfsvers=4.1",
        '"password,other"',
        '"username,password,other"',
        "backup-target",
        "https://s3.acme.eu/x",
        "registry.corp/postgresql:17.6",
        '"pg_dump"',
    ):
        assert kept in text or kept.strip('"') in text, kept
    assert "--providers.kubernetesIngress.token" in text, "the name alone"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://u:hunter2@h/x", f"https://{MARK}@h/x"), ("cifs://u:a/b@h", f"cifs://{MARK}@h"), ("//u:hunter2@h", f"//{MARK}@h"),
        ("x password=hunter2,y", f"x password={MARK},y"), ("Passwd = 'hunter 2' y", f"Passwd = {MARK} y"), ("--a.token=hunter2", f"--a.token={MARK}"),
        ('{"password": "hunter2"}', f'{{"password": {MARK}}}'), ("client_secret=hunter2&b=1", f"client_secret={MARK}&b=1"), ("pwd=hunter2;x", f"pwd={MARK};x"),
        ("Authorization: Basic aHVudGVyMg==", f"Authorization: {MARK}"), ("Bearer abcdefgh.ijkl", f"Bearer {MARK}"), ("key AKIAABCDEFGHIJKLMNOP", f"key {MARK}"),
        ("a eyJhbGciOi.eyJzdWIiOi.c2lnbg b", f"a {MARK} b"), ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nx", f"{MARK}\nx"),
        ("-----BEGIN PRIVATE KEY-----\nabc", MARK),
    ],
)  # fmt: skip
def test_the_net_catches_what_still_looks_like_a_secret(text: str, kept: str) -> None:
    assert caught(text) == kept
    assert caught(kept) == kept, "a second pass changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        "rke2://worker-1", "containerd://2.1.4", "nfs://10.43.0.9/x", "docker.io/exivity/glass:exivity-3.39.2@sha256:0a1b", "--default-server-tls-secret=ns/name",
        "-wildcard-tls-secret=$(POD_NAMESPACE)/default", "exivity-jwt-secret", "postgres-password", "secret exivity-tls not found", "system:serviceaccount:a:b", "mail@acme.eu",
        "https://prometheus.io:9090/x", "MountVolume.SetUp failed for volume \"x\" : secret \"y\" not found", "keyfile", "", "passwords are fine",
    ],
)  # fmt: skip
def test_the_net_lets_through_what_is_none(text: str) -> None:
    assert caught(text) is text


def test_the_net_reaches_everywhere_and_leaves_the_rest_as_it_is() -> None:
    value = {"a": ["token=x", {"b": ("pwd=y", 7, None, True)}], "password=z": 1}
    found = strained(value)
    assert found == {"a": [f"token={MARK}", {"b": (f"pwd={MARK}", 7, None, True)}], f"password={MARK}": 1}
    assert marks(found) == 3
    untouched = {"a": ["x", {"b": 1}]}
    assert strained(untouched) is untouched
