"""What the describers let through: no value, no base64 and no hash of one, whatever the cluster holds."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import string
from typing import Any

import pytest

from exivity_audit.collect import describe
from exivity_audit.collect.describe import DESCRIBERS, Vault, classes, known, settle, strength
from exivity_audit.snapshot import SiteSnapshot
from tests.builders import encode, made, multi_node
from tests.judging import site_of
from tests.mutation import put
from tests.world import World

CANARIES = ("cAnArY-appkey-9f27", "cAnArY-jwt-51ce", "cAnArY-db-77aa", "cAnArY-mq-c0de", "cAnArY-licence-42", "cAnArY-admin-13", "cAnArY-url-88")
APP, JWT, DB, MQ, LICENCE, ADMIN, URL = CANARIES


def text_of(site: SiteSnapshot) -> str:
    return "\n".join(json.dumps(item, default=str) for record in site.reads for item in record.objects)


def config(database: dict[str, Any] | None = None, broker: dict[str, Any] | None = None, **more: Any) -> str:
    parameters = {
        "host": "db.acme.eu",
        "port": 5432,
        "sslmode": "require",
        "dbname": "exivity",
        "user": "exivity",
        "password": DB,
        **(database or {}),
    }
    servers = [{"host": "mq", "port": 5672, "secure": False}]
    return json.dumps(
        {"db": {"parameters": parameters}, "mq": {"servers": servers, "user": "app", "password": MQ, "vhost": "/", **(broker or {})}, **more}
    )


def world_of_canaries() -> World:
    world = multi_node()
    for name, key, value in (
        ("app-key", "EXIVITY_APP_KEY", APP), ("jwt-secret", "EXIVITY_JWT_SECRET", JWT), ("postgres-secret", "POSTGRES_PASSWORD", DB), ("licence-key", "license\\.key", LICENCE),
    ):  # fmt: skip
        world.edit("Secret", f"exivity-{name}", put(f"data.{key}", encode(value)))
        world.edit(
            "Secret", f"exivity-{name}", put("metadata.annotations.kubectl\\.kubernetes\\.io/last-applied-configuration", encode(value) + value)
        )
        world.edit("Secret", f"exivity-{name}", put("data.other", encode(URL)))
    for item in world.all("ConfigMap"):
        if "config.json" in item["data"]:
            item["data"]["config.json"] = config(
                {"host": f"postgres://exivity:{URL}@db.acme.eu?password={URL}", "extra": URL, "options": f"password={URL}"},
                {"user": f"app:{URL}", "uri": f"amqp://app:{URL}@mq/", "servers": [{"host": f"app:{URL}@mq", "port": f"5672;password={URL}", "token": URL}]},
                smtp={"password": URL}, note=URL,
            )  # fmt: skip
        item["data"]["extra"] = URL
    world.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_HOST", f"exivity:{URL}@db.acme.eu"))
    world.edit("ConfigMap", "exivity-postgres-config", put("data.POSTGRES_USER", f"exivity:{URL}"))
    world.edit("Secret", "sh.helm.release.v1.exivity.v1", put("data.release", release({
        "licence": LICENCE, "secret": {"appKey": APP, "jwtSecret": JWT, "other": URL},
        "postgresql": {"host": f"u:{URL}@db", "global": {"postgresql": {"auth": {"password": DB, "postgresPassword": ADMIN}}}},
        "rabbitmq": {"auth": {"password": MQ}, "host": f"mq?password={URL}"}, "smtp": {"password": URL}, "service": {"registry": f"robot:{URL}@registry.corp", "extraEnv": URL},
        "storage": {"storageClass": "longhorn", "secretKey": URL},
    })))  # fmt: skip
    return world


def release(values: Any, **rest: Any) -> str:
    content = {
        "name": "exivity", "namespace": "exivity", "version": 1, "config": values, "manifest": f"password: {URL}", "hooks": [URL],
        "info": {"status": "deployed", "last_deployed": "2026-10-24T12:00:00Z", "notes": URL, "description": URL},
        "chart": {"metadata": {"name": "exivity", "version": "3.39.2"}, "values": {"secret": URL}, "templates": [{"data": URL}]}, **rest,
    }  # fmt: skip
    return encode(base64.b64encode(gzip.compress(json.dumps(content).encode())))


def traces(value: str) -> set[str]:
    """What a value might be recognised by: itself, its parts, base64 twice over at any offset, hashes."""
    raw = value.encode()
    found = {value, value[::-1], value[-8:], raw.hex(), encode(value), encode(encode(value))}
    found |= {base64.b64encode(b"x" * shift + raw).decode()[4:-4] for shift in range(3)}
    for name in ("md5", "sha1", "sha224", "sha256", "sha512", "blake2b"):
        digest = hashlib.new(name, raw)
        found |= {digest.hexdigest(), digest.hexdigest()[:12], base64.b64encode(digest.digest()).decode()[:16]}
    return found


def test_no_trace_of_any_secret_is_kept() -> None:
    text = text_of(site_of(world_of_canaries()))
    assert '"secret"' in text
    for value in CANARIES:
        for trace in traces(value):
            assert trace not in text, f"a trace of {value}"


def test_what_is_public_survives_beside_the_secrets() -> None:
    text = text_of(site_of(world_of_canaries()))
    assert "db.acme.eu" in text
    assert "registry.corp" in text
    assert '"dbname": "exivity"' in text


def test_the_vault_forgets_and_never_shows_a_value() -> None:
    vault = Vault()
    body = vault.describe(APP)["secret"]
    assert APP not in repr(vault) + repr(body)
    settle([(vault, [("", body)])])
    assert (vault.entries, vault.identities) == ([], [])


def descriptions(site: SiteSnapshot) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if set(value) == {"secret"} and isinstance(value["secret"], dict):
                found.append(value["secret"])
                return
            for key in sorted(value):
                walk(value[key])
        elif isinstance(value, list | tuple):
            for item in value:
                walk(item)

    for record in site.reads:
        walk(record.objects)
    return found


def test_equal_values_share_a_number_and_others_do_not() -> None:
    site = site_of(multi_node())
    reads = {record.name: record for record in site.reads}
    key = reads["app_key"].objects[0]["data"]["EXIVITY_APP_KEY"]["secret"]
    values = reads["helm_releases"].objects[0]["data"]["release"]["values"]
    assert key["group"] == values["secret.appKey"]["secret"]["group"]
    assert len({key["group"], values["secret.jwtSecret"]["secret"]["group"], values["rabbitmq.auth.password"]["secret"]["group"]}) == 3


def test_numbers_are_stable_over_runs_and_follow_the_snapshot() -> None:
    first, second = (descriptions(site_of(multi_node())) for _ in range(2))
    assert first == second
    groups = [one["group"] for one in first]
    assert groups[0] == 1
    assert sorted(set(groups)) == list(range(1, max(groups) + 1))
    assert [groups.index(number) for number in sorted(set(groups))] == sorted(groups.index(number) for number in set(groups))


def test_numbers_say_nothing_about_the_value() -> None:
    world = multi_node()
    for item in world.all("Secret"):
        if "EXIVITY_APP_KEY" in (item.get("data") or {}):
            item["data"]["EXIVITY_APP_KEY"] = encode("another-key-of-34-characters-a9B2c")
    a, b = descriptions(site_of(multi_node())), descriptions(site_of(world))
    assert a[0]["group"] == b[0]["group"] == 1


@pytest.mark.parametrize(
    ("password", "expected"),
    [("exivity", ["release", "user name"]), ("EXIVITY", ["release", "user name"]), ("pg-rw.databases.svc", ["host"]), ("vN7-hG3_kD9sLq2w", [])],
)
def test_a_secret_that_equals_a_public_value_says_which(password: str, expected: list[str]) -> None:
    world = multi_node()
    world.edit("Secret", "exivity-postgres-secret", put("data.POSTGRES_PASSWORD", encode(password)))
    found = next(record for record in site_of(world).reads if record.name == "postgres_secret").objects[0]
    assert found["data"]["POSTGRES_PASSWORD"]["secret"]["equals"] == expected


def test_a_trailing_newline_is_part_of_a_value() -> None:
    vault = Vault()
    plain, other = (describe.secret(encode(text), vault)["secret"] for text in ("a-password-of-ours", "a-password-of-ours\n"))
    settle([(vault, [("", plain), ("", other)])])
    assert plain["group"] != other["group"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"), ("pass", "chart-default"), ("Password12!", "chart-default"), ("Password13!", "chart-default"), ("demo", "demo"), ("DEMO\n", "demo"), ("  ", "empty"),
        ("replace-with-postgresql-password", "placeholder"), ("<your password>", "placeholder"), ("${APP_KEY}", "placeholder"), ("{{ key }}", "placeholder"),
        ("changeme123", "placeholder"), ("secret", "placeholder"), ("<k3J9sLq2wXz5bvN7", None), ("${k3J9sLq2wXz5bvN7", None), ("vN7-hG3_kD9sLq2wXz5b", None),
    ],
)  # fmt: skip
def test_shipped_values_are_known(value: str, expected: str | None) -> None:
    assert known(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"), ("Xk9!q", "weak"), ("aaaabbbbccccaaaa", "weak"), ("kfjqpwmzxna", "weak"), ("abcdefghijklmnop", "weak"), ("1234567890123456", "weak"), ("Password123", "weak"),
        ("Exivity2026!", "weak"), ("secret-A1b2", "weak"), ("kfjqpwmzxnav", "fair"), ("Kf7jqpwm", "fair"), ("Kf7-jqpwmZxn", "strong"), ("kf7jqpwmzxn3avb9", "strong"),
        ("vN7-hG3_kD9sLq2wXz5b", "strong"),
    ],
)  # fmt: skip
def test_strength(value: str, expected: str) -> None:
    assert strength(value) == expected


def test_what_the_chart_generates_is_always_strong() -> None:
    source = random.Random(7)
    for _ in range(2000):
        assert strength("".join(source.choices(string.ascii_letters + string.digits, k=32))) == "strong"


def test_only_ascii_letters_and_digits_count_as_such() -> None:
    assert classes("aB1") == ["digit", "lower", "upper"]
    assert classes("é٣Ж") == ["other"]


def test_a_long_length_is_capped() -> None:
    assert Vault().describe("x" * 64)["secret"]["length"] == 64
    assert Vault().describe("x" * 65)["secret"]["length"] == "64+"


HOSTILE: list[Any] = [
    None,
    7,
    True,
    1.5,
    [],
    {},
    "not base64!",
    "AAA",
    [{"a": [1]}],
    {"secret": {"group": 1}},
    "\ud800",
    "[" * 100_000,
    encode("[" * 100_000),
    encode(b"\xff\xfe\x00"),
    "é",
]


@pytest.mark.parametrize("name", sorted(DESCRIBERS))
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_never_raises(name: str, value: Any) -> None:
    vault = Vault()
    found = DESCRIBERS[name](value, vault)
    json.dumps(found)
    settle([(vault, [])])


@pytest.mark.parametrize("spoof", [{"secret": {"group": 1, "length": 40}}, ["x"], True])
def test_a_value_that_poses_as_a_description_is_not_kept(spoof: Any) -> None:
    found = describe.helm_values(release({"secret": {"appKey": spoof, "jwtSecret": spoof}}), Vault())
    assert found["values"] == {}


def bomb(size: int) -> str:
    return encode(base64.b64encode(gzip.compress(b'{"a":"' + b"x" * size + b'"}', mtime=0)))


def test_a_helm_bomb_is_malformed_and_soon_so() -> None:
    assert describe.helm_values(bomb(describe.LARGEST_HELM * 4), Vault()) == {"malformed": "helm release"}
    assert describe.helm_values(bomb(2**20), Vault())["values"] == {}


def test_a_truncated_helm_release_is_malformed() -> None:
    packed = base64.b64encode(gzip.compress(json.dumps({"version": 1, "pad": "p" * 4000}).encode())[:-20])
    assert describe.helm_values(encode(packed), Vault()) == {"malformed": "helm release"}


def test_a_helm_release_without_compression_is_read() -> None:
    plain = encode(base64.b64encode(json.dumps({"version": 3, "config": {"nameOverride": "x"}}).encode()))
    found = describe.helm_values(plain, Vault())
    assert (found["version"], found["values"]) == (3, {"nameOverride": "x"})


def test_of_the_claim_sizes_only_known_names_and_quantities_are_kept() -> None:
    sizes = {
        "data": {"report": "20Gi", "import": "s3cr3t", "extracted": 7, "other": "1Gi"},
        "log": {"glass": "", "use": None},
        "config": ["s3cr3t"],
        "s3cr3t": {"a": "1Gi"},
    }
    found = describe.helm_values(release({"storage": {"pvcSizes": sizes}}), Vault())["values"]["storage.pvcSizes"]
    assert found == {
        "data": {"report": "20Gi", "import": {"malformed": "quantity"}, "extracted": 7}, "log": {"glass": "", "use": None}, "config": {"malformed": "list"},
    }  # fmt: skip


@pytest.mark.parametrize("value", [{"a": "s3cr3t"}, ["s3cr3t"]])
def test_a_value_that_should_be_a_scalar_is_not_copied(value: Any) -> None:
    found = describe.helm_values(
        release({"nameOverride": value, "rabbitmq": {"vhost": value, "port": value}, "storage": {"pvcSizes": {"data": {"report": value}}}}), Vault()
    )
    assert "s3cr3t" not in json.dumps(found)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("host", "h,password=s3cr3t", "h"), ("host", "postgres://h/db/s3cr3t", "h"), ("host", "h:s3cr3t", "h"), ("host", "[::1]:5432", "[::1]:5432"), ("host", "fd00::1", "fd00::1"),
        ("host", "h?password=a@s3cr3t", {"malformed": "str"}), ("host", "password=s3cr3t", {"malformed": "str"}), ("host", "", ""), ("host", None, None),
        ("server", ["s3cr3t"], ""), ("port", "5432?password=s3cr3t", "5432"), ("port", "s3cr3t", {"malformed": "str"}), ("port", "", ""),
        ("name", "/v?password=s3cr3t", "/v"), ("name", "/", "/"), ("name", "amqp://u:s3cr3t@h/v", "h/v"), ("ssl_mode", "verify-full", "verify-full"), ("ssl_mode", "s3cr3t", "other"),
        ("addresses", "10.0.0.0/8,::1, *", "10.0.0.0/8, ::1, *"), ("addresses", "http://u:s3cr3t@proxy", "proxy"), ("addresses", "password=s3cr3t", "(unreadable)"),
        ("addresses", "10.0.0.0/33", "10.0.0.0/33"), ("image", "u:s3cr3t@reg/x:1@sha256:0a1b", "reg/x:1@sha256:0a1b"), ("image", "https://reg:5000/x:1", "reg:5000/x:1"),
        ("image", "reg/x:1?token=s3cr3t", "reg/x:1"), ("image", "u:s3cr3t/x:1", "u/x:1"), ("image", None, None),
        ("mount_options", ["vers=4.1,username=s3cr3t", "nolock", "s3cr3t", "password=s3,cr3t"], ["vers=4.1,username", "nolock", "other", "password,other"]),
        ("mount_options", "vers=4.1,pass=s3cr3t", "vers=4.1,pass"), ("mount_options", "vers=s3cr3t", "vers"),
        ("store_url", "s3://bucket/path/", "s3://bucket/path/"), ("store_url", "https://u:s3cr3t@h:9000/x?sig=s3cr3t", "https://h:9000/x"),
        ("store_url", "https://u:s3/cr3t@h", "https://h"), ("store_url", "https://u:s3cr3t", {"malformed": "str"}), ("store_url", "s3cr3t", {"malformed": "str"}),
        ("store_url", "azure://a/b;key=s3cr3t", "azure://a/b"), ("store_url", "https://h/x?a=b@s3cr3t", {"malformed": "str"}), ("store_url", ["s3cr3t"], {"malformed": "list"}),
        ("store_url", "", ""), ("backup_tools", ["sh", "-c", "PGPASSWORD=s3cr3t pg_dump -Fc x | wal-g y"], ["pg_dump", "wal-g"]), ("backup_tools", "pg_dumpall s3cr3t", ["pg_dumpall"]),
        ("backup_tools", ["s3cr3t", 7], []), ("backup_tools", None, []),
        ("mount_options", "nfsvers=4.1,local_lock=all,v4.2", "nfsvers=4.1,local_lock=all,v4.2"),
        ("resources", {"requests": {"cpu": "100m", "x": "s3cr3t"}, "limits": {"memory": "s3cr3t"}, "y": 1}, {"requests": {"cpu": "100m"}, "limits": {"memory": {"malformed": "quantity"}}}),
        ("resources", "s3cr3t", {"malformed": "str"}), ("amounts", None, None),
    ],
)  # fmt: skip
def test_public_values_keep_their_form_alone(name: str, value: Any, kept: Any) -> None:
    assert DESCRIBERS[name](value, Vault()) == kept


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--configmap", "ns/name", "--v", "2"], ["--configmap=ns/name"]), (["-nginx-configmaps", "ns/name"], ["-nginx-configmaps=ns/name"]),
        (["--configmap", "--v=2"], ["--configmap"]), (["--enable-ssl-passthrough", "x"], ["--enable-ssl-passthrough"]), (["--providers.kubernetesIngress", "x"], ["--providers.kubernetesIngress"]),
        (["--providers.kubernetesIngress.token=s3cr3t", "--providers.kubernetesIngress.ingressClass=a"], ["--providers.kubernetesIngress.token", "--providers.kubernetesIngress.ingressClass=a"]),
        (["--providers.kubernetesCRD.token", "s3cr3t"], ["--providers.kubernetesCRD.token"]), (["--entryPoints.web.address=:80"], ["--entryPoints.web.address=:80"]),
        (["--entryPoints.web.http.middlewares=s3cr3t"], ["--entryPoints.web.http.middlewares"]), (["configmap=s3cr3t", "--token", "configmap"], []), ("s3cr3t", {"malformed": "str"}), (["--v", 7], {"malformed": "list"}), (None, None),
    ],
)  # fmt: skip
def test_controller_arguments(arguments: Any, kept: Any) -> None:
    assert DESCRIBERS["controller_args"](arguments, Vault()) == kept


def test_a_longhorn_setting_that_no_fact_uses_is_kept_by_name_alone() -> None:
    found = {
        item["metadata"]["name"]: item.get("value")
        for record in site_of(_with_settings()).reads
        if record.name == "longhorn_settings"
        for item in record.objects
    }
    assert found["current-longhorn-version"] == "v1.11.1"
    assert (found["backup-target-credential-secret"], "backup-target-credential-secret" in found) == (None, True)
    assert found["backup-target"] == "cifs://nas"


def _with_settings() -> World:
    world = multi_node()
    world.add(made("longhorn.io/v1beta2", "Setting", "backup-target", "longhorn-system", value="cifs://u:s3cr3t@nas"))
    world.add(made("longhorn.io/v1beta2", "Setting", "backup-target-credential-secret", "longhorn-system", value="s3cr3t"))
    return world


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("s3://bucket@eu-1/prod", "s3://bucket@eu-1/prod"), ("s3://AKIA:s3cr3t@eu-1/prod", "s3://eu-1/prod"), ("azblob://box@core.windows.net/", "azblob://box@core.windows.net/"),
        ("nfs://nas:/export?nfsOptions=s3cr3t", "nfs://nas:/export"), ("nfs://joe:s3cr3t@nas/x", "nfs://nas/x"), ("cifs://nas/share#s3cr3t", "cifs://nas/share"),
        ("s3://b2@eu/?backup=b-1&volume=pvc-1&token=s3cr3t", "s3://b2@eu/?backup=b-1&volume=pvc-1"), ("s3://b2@eu/x;s3cr3t", "s3://b2@eu/x"), ("", ""), (None, None),
        ("s3cr3t", {"malformed": "str"}), (5, {"malformed": "int"}), ("s3://s3cr3t@@/x", "s3:///x"),
    ],
)  # fmt: skip
def test_the_url_of_a_backup_target(url: Any, kept: Any) -> None:
    assert DESCRIBERS["backup_url"](url, Vault()) == kept


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("host", "postgres://exivity:s3cr3t@db.acme.eu:5432/x", "db.acme.eu:5432"), ("host", "s3cr3t@db", "db"), ("host", "a:s3@cr3t@db", "db"),
        ("host", "db?password=s3cr3t", "db"), ("host", "db password=s3cr3t", "db"), ("host", "db;pwd=s3cr3t", "db"), ("host", "h1,h2", "h1,h2"), ("host", "::1", "::1"),
        ("user", "exivity@server", "exivity@server"), ("user", "exivity:s3cr3t", "exivity"), ("user", "postgres://exivity:s3cr3t@db", "exivity"),
        ("sslmode", "require&password=s3cr3t", "require"), ("port", 5432, 5432), ("dbname", "exivity", "exivity"), ("host", ["s3cr3t"], {"malformed": "list"}),
    ],
)  # fmt: skip
def test_addresses_of_config_json_lose_what_may_be_secret(field: str, value: Any, kept: Any) -> None:
    found = describe.config_json(config({field: value}), Vault())
    assert found["db"][field] == kept
    assert "s3cr3t" not in json.dumps(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ("empty", 0)), ("", ("empty", 0)), (12345678, ("weak", 8)), ("vN7-hG3_kD9sLq2wXz5b", ("strong", 20))],
)
def test_passwords_of_config_json_of_any_scalar_type(value: Any, expected: tuple[str, int]) -> None:
    body = describe.config_json(config({"password": value}), Vault())["db"]["password"]["secret"]
    assert (body["strength"], body["length"]) == expected


def test_a_password_that_is_an_object_is_malformed_and_not_kept() -> None:
    assert describe.config_json(config({"password": {"file": "/s3cr3t"}}), Vault())["db"]["password"] == {"malformed": "dict"}


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "7", '{"db": 7, "mq": "x"}', '{"mq": {"servers": [7, null]}}'])
def test_a_broken_config_json_ends_quietly(text: str) -> None:
    json.dumps(describe.config_json(text, Vault()))


def test_managed_fields_keep_who_and_when_alone() -> None:
    fields = [
        {"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:EXIVITY_APP_KEY": {}}}},
        {"manager": "kubectl", "fieldsV1": {"f:metadata": {}}}, {"manager": "odd", "fieldsV1": "f:data"}, {"fieldsV1": 7}, "x",
    ]  # fmt: skip
    assert describe.change_times(fields, Vault()) == [{"manager": "helm", "operation": "Update", "time": "2026-01-01T00:00:00Z"}]
