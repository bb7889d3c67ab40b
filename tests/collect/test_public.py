"""What is kept of a public value that may carry a secret: its form, and nothing that does not fit it."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect import public
from exivity_audit.collect.public import LONGEST_TEXT

LONG = "a" * (LONGEST_TEXT + 1)
CUT = LONG[:LONGEST_TEXT]
STR, LIST, DICT, INT, BOOL = ({"malformed": name} for name in ("str", "list", "dict", "int", "bool"))
ALL = {
    name: getattr(public, name)
    for name in (
        "plain", "count", "given", "host", "store_url", "server", "port", "name", "login", "flag", "repository", "ssl_mode", "addresses", "image", "tag",
        "amount", "amounts", "resources", "claim_sizes", "mount_options", "backup_tools", "controller_args", "keys",
    )
}  # fmt: skip
OF_TEXT = ("plain", "host", "store_url", "port", "name", "login", "flag", "repository", "ssl_mode", "addresses", "image", "tag")


@pytest.mark.parametrize("name", OF_TEXT)
@pytest.mark.parametrize(
    ("value", "kept"),
    [(None, None), ("", ""), (7, 7), (1.5, 1.5), (True, True), (False, False), (0, 0), ([], LIST), (["s3cr3t"], LIST), ({"a": "s3cr3t"}, DICT)],
)
def test_where_a_text_is_expected_scalars_stay_and_structures_are_named(name: str, value: Any, kept: Any) -> None:
    found = ALL[name](value)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize("name", ["count", "amounts", "resources", "claim_sizes", "mount_options", "keys"])
def test_where_a_structure_is_expected_null_stays_and_others_are_named(name: str) -> None:
    assert ALL[name](None) is None
    assert ALL[name](7) == INT
    if name != "mount_options":
        assert ALL[name]("s3cr3t") == STR


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        *((name, LONG, CUT) for name in ("plain", "host", "name", "login", "addresses")),
        ("addresses", ",".join([LONG] * 20), ", ".join([CUT] * 20)[: 16 * LONGEST_TEXT]),
        *((name, f"{start}{LONG}{LONG}", f"{start}{LONG}{LONG}"[: 2 * LONGEST_TEXT]) for name, start in (("image", ""), ("repository", "https://h/"), ("store_url", "s3://h/"))),
    ],
)  # fmt: skip
def test_no_text_is_longer_than_anybody_needs(name: str, value: str, kept: str) -> None:
    assert ALL[name](value) == kept


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("plain", "u:s3cr3t@h", "h"), ("plain", "a@b@c", "c"), ("plain", "as it is", "as it is"), ("plain", CUT, CUT),
        ("count", ["s3cr3t", 2], 2), ("count", [], 0), ("count", {"a": 1}, DICT),
        ("given", None, False), ("given", "", False), ("given", {}, False), ("given", [], False), ("given", "s3cr3t", True), ("given", ["s3cr3t"], True), ("given", 7, True),
        ("host", " db.acme.eu ", "db.acme.eu"), ("host", "db_1.acme.eu:5432", "db_1.acme.eu:5432"), ("host", "*.acme.eu", "*.acme.eu"), ("host", "h1:1,h2:2", "h1:1,h2:2"),
        ("host", "h1,h2 s3cr3t,h3", "h1,h2"), ("host", "h1,s3cr3t=x,h3", "h1"), ("host", "h1,@s3cr3t", "s3cr3t"), ("host", "h1,", "h1"), ("host", "tcp://h:1/x", "h:1"),
        ("host", "u@tcp://h", "h"), ("host", "?", STR), ("host", "h?a=b@c", STR), ("host", "h#a=b@c", STR), ("host", "u:s@h", "h"), ("host", "s3cr3t=", STR),
        ("host", "h1/s3cr3t,h2", "h1"),
        ("server", "u:s3cr3t@nas", "nas"), ("server", None, ""), ("server", 7, ""), ("server", {"a": "s3cr3t"}, ""),
        ("store_url", "s3://bucket", "s3://bucket"), ("store_url", " s3://bucket/a/b ", "s3://bucket/a/b"), ("store_url", "s3://bucket/a b", "s3://bucket/a"),
        ("store_url", "s3://bucket?x=s3cr3t", STR), ("store_url", "s3://", STR), ("store_url", "s3:///a", STR), ("store_url", "bucket/a", STR),
        ("port", " 5432 ", "5432"), ("port", "5432,5433", "5432,5433"), ("port", "5432,s3cr3t", "5432"), ("port", 5432, 5432),
        ("name", "exivity", "exivity"), ("name", "a=s3cr3t", "a"), ("name", "a,b=c", "a"), ("name", "db?a=b@s3cr3t", STR),
        ("login", "joe@acme", "joe@acme"), ("login", "joe/s3cr3t", "joe"), ("login", "tcp://joe:s3cr3t@h", "joe"), ("login", "joe s3cr3t", "joe"), ("login", "joe=s3cr3t;x", "joe"),
        ("flag", "true", "true"), ("flag", "False", "False"), ("flag", "s3cr3t", "other"),
        ("repository", "https://github.com/acme/gitops", "https://github.com/acme/gitops"), ("repository", "git@github.com:acme/gitops.git", "github.com:acme/gitops.git"),
        ("repository", "https://u:s3cr3t@github.com/acme", "https://github.com/acme"), ("repository", "oci://registry.acme.eu/charts", "oci://registry.acme.eu/charts"),
        ("repository", "ssh://git@h:22/acme", "ssh://h:22/acme"), ("repository", "HTTPS://h/a?token=s3cr3t", "HTTPS://h/a"), ("repository", "$values/a.yaml", "$values/a.yaml"),
        ("repository", "token=s3cr3t", STR), ("repository", "h:99:s3cr3t", STR), ("repository", "h/a?x=b@s3cr3t", STR), ("repository", "?", STR),
        ("repository", "oci://h/a@sha256:0a1b", "oci://h/a"), ("repository", "https://[::1]:80/a", "https://[::1]:80/a"),
        ("ssl_mode", " require ", "require"), ("ssl_mode", "requires", "other"), ("ssl_mode", "1", "other"),
        ("addresses", "10.0.0.1  ,\n10.0.0.0/8", "10.0.0.1, 10.0.0.0/8"), ("addresses", "proxy.acme.eu", "proxy.acme.eu"), ("addresses", "10.0.0.1/8", "10.0.0.1/8"),
        ("addresses", "fd00::/8,fd00::1/64", "fd00::/8, fd00::1/64"), ("addresses", "*", "*"), ("addresses", "proxy/24", "proxy/24"), ("addresses", "fd00::zz/64", "fd00::"), ("addresses", "u:s3cr3t/24", "u"), ("addresses", "h/s3cr3t", "h"), ("addresses", "=", "(unreadable)"),
        ("image", "glass", "glass"), ("image", "reg:5000/x:1", "reg:5000/x:1"), ("image", "u:s3cr3t/x", "u/x"), ("image", "x:1", "x:1"), ("image", "?s3cr3t", STR),
        ("image", "x?a=b@s3cr3t", STR), ("image", "x@sha256:0a1b", "x@sha256:0a1b"), ("image", "x?s3cr3t@sha256:0a1b", "x"), ("image", "a/b/c:1", "a/b/c:1"),
        ("image", f"{LONG * 2}a@sha256:0a1b", f"{(LONG * 2)[: 2 * LONGEST_TEXT]}@sha256:0a1b"),
        ("tag", "3.39.2", "3.39.2"), ("tag", "1@sha256:0a1b", "1@sha256:0a1b"), ("tag", "1@s3cr3t", "1"), ("tag", "1 s3cr3t@sha256:0a1b", "1"), ("tag", "@sha256:0a1b", STR),
        ("tag", "a" * 200, "a" * 128),
        ("amount", None, None), ("amount", "", ""), ("amount", "1Gi", "1Gi"), ("amount", 7, 7), ("amount", 1.5, 1.5), ("amount", True, BOOL), ("amount", ["1Gi"], LIST),
        ("amount", "s3cr3t", {"malformed": "quantity"}),
        ("amounts", {"cpu": "1", "memory": 7, "ephemeral-storage": "s3cr3t", "nvidia.com/gpu": "s3cr3t"}, {"cpu": "1", "memory": 7, "ephemeral-storage": {"malformed": "quantity"}}),
        ("resources", {"requests": None, "limits": ["s3cr3t"], "claims": ["s3cr3t"]}, {"requests": None, "limits": LIST}), ("resources", {}, {}),
        ("claim_sizes", {"data": {"report": "1Gi", "s3cr3t": "1Gi"}, "log": None, "config": "s3cr3t"}, {"data": {"report": "1Gi"}, "config": STR}), ("claim_sizes", {}, {}),
        ("mount_options", "hard, ro ,,vers=4.1", "hard,ro,vers=4.1"), ("mount_options", ["hard", 7, ["s3cr3t"]], ["hard", INT, LIST]), ("mount_options", "HARD,V4.1,NFSVERS=3", "HARD,V4.1,NFSVERS=3"),
        ("mount_options", "hard=s3cr3t", "hard"), ("mount_options", "vers", "vers"), ("mount_options", "timeo=600,retrans=2", "timeo=600,retrans=2"), ("mount_options", "timeo=1234567", "timeo"),
        ("mount_options", "proto=tcp6,local_lock=none", "proto=tcp6,local_lock=none"), ("mount_options", "uid=1000,s3cr3t=1", "uid,other"), ("mount_options", "v4.12", "other"),
        ("mount_options", "v4=s3cr3t", "other"), ("mount_options", "soft=", "soft"),
        ("backup_tools", "pg_dump -x", ["pg_dump"]), ("backup_tools", ["pgbackrest", None, "a;pg_dump"], ["pg_dump", "pgbackrest"]), ("backup_tools", "my-pg_dump pg_dumps", []), ("backup_tools", 7, []),
        ("keys", {"b": "s3cr3t", "a": 1}, ["a", "b"]), ("keys", {LONG: 1, 7: 2}, ["7", CUT]), ("keys", {}, []), ("keys", ["s3cr3t"], LIST),
    ],
)  # fmt: skip
def test_what_fits_the_form_is_kept(name: str, value: Any, kept: Any) -> None:
    assert ALL[name](value) == kept


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["--ingress-class=nginx", "--token=s3cr3t", "--token", "s3cr3t"], ["--ingress-class=nginx"]),
        (["--ingress-class", "nginx", "--configmap", "a/b"], ["--ingress-class=nginx", "--configmap=a/b"]),
        (["--Ingress-Class", "nginx"], ["--Ingress-Class=nginx"]),
        (["--ingress-class=nginx", "s3cr3t"], ["--ingress-class=nginx"]),
        (["--ingress-class"], ["--ingress-class"]),
        (["--ingress-class", 7], LIST),
        (["--ingress-class", "-v"], ["--ingress-class"]),
        (["--enable-ssl-passthrough", "s3cr3t"], ["--enable-ssl-passthrough"]),
        (["--providers.kubernetesingress.ingressclassbyname", "s3cr3t"], ["--providers.kubernetesingress.ingressclassbyname"]),
        (["--providers.kubernetescrd", "s3cr3t"], ["--providers.kubernetescrd"]),
        (["--providers.kubernetescrd.namespaces", "a,b"], ["--providers.kubernetescrd.namespaces=a,b"]),
        (["--providers.kubernetescrd.s3cr3t=x"], ["--providers.kubernetescrd.s3cr3t"]),
        (["--providers.consul.token=s3cr3t"], []),
        (["--entrypoints.web.address", ":80"], ["--entrypoints.web.address=:80"]),
        (["--entrypoints.web.http.tls", "s3cr3t"], ["--entrypoints.web.http.tls"]),
        (["--entrypoints.web.http.tls.options=x"], ["--entrypoints.web.http.tls.options=x"]),
        (["--entrypoints.web.http.tlsx=s3cr3t"], ["--entrypoints.web.http.tlsx"]),
        (["--entrypoints..address=s3cr3t"], ["--entrypoints..address"]),
        (["--entrypoints.web=s3cr3t"], ["--entrypoints.web"]),
        (["--xentrypoints.web.address=s3cr3t"], []),
        (["ingress-class=s3cr3t"], []),
        (["ingress-class=s3cr3t", 7, None], LIST),
        ([], []),
        ("--ingress-class=nginx", STR),
        (None, None),
    ],
)
def test_of_a_controllers_arguments_those_that_are_judged(arguments: Any, kept: Any) -> None:
    assert public.controller_args(arguments) == kept
