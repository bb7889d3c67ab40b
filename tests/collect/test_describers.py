"""What each describer keeps of a secret, or of a document that holds one; told directly, without a cluster around it."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from exivity_audit.collect import describe
from exivity_audit.collect.describe import CAP, DESCRIBERS, LARGEST_HELM, Vault, classes, decoded, known, settle, strength
from exivity_audit.collect.parity import ParityKey
from tests.builders import encode
from tests.collect.test_pem import certificate, private

SECRET = "vN7-hG3_kD9sLq2wXz5b"


# The vault


def test_a_described_value_is_its_length_classes_strength_and_nothing_else() -> None:
    found = Vault().describe("Password12!")
    assert found == {"secret": {
        "group": 0, "length": 11, "classes": ["digit", "lower", "other", "upper"], "strength": "weak", "known": "chart-default", "equals": [],
    }}  # fmt: skip
    assert [Vault().describe("x" * length)["secret"]["length"] for length in (0, CAP - 1, CAP, CAP + 1)] == [0, CAP - 1, CAP, f"{CAP}+"]


def test_groups_run_over_all_sites_in_the_order_of_the_descriptions() -> None:
    first, second = Vault(), Vault()
    a, b, c, d = (vault.describe(value)["secret"] for vault, value in ((first, "one"), (first, "two"), (second, "two"), (second, "three")))
    settle([(first, [("x", b), ("x", a)]), (second, [("x", c), ("x", d)])])
    assert [one["group"] for one in (b, a, c, d)] == [1, 2, 1, 3]
    assert (first.entries, second.entries) == ([], [])


def test_a_description_of_another_vault_takes_no_number_and_stops_no_other() -> None:
    vault = Vault()
    own, other = vault.describe("one")["secret"], Vault().describe("one")["secret"]
    settle([(vault, [("x", other), ("x", own)])])
    assert (own["group"], other["group"]) == (1, 0)


@pytest.mark.parametrize(
    ("value", "equals"),
    [("joe", ["host", "user name"]), ("JOE", ["host", "user name"]), ("Db.acme.eu", ["host"]), ("joey", []), ("", []), ("7", [])],
)
def test_a_secret_tells_which_public_values_it_equals(value: str, equals: list[str]) -> None:
    vault = Vault()
    for what, public in (
        ("user name", "joe"),
        ("user name", "Joe"),
        ("host", "joe"),
        ("host", "db.acme.eu"),
        ("host", ""),
        ("host", 7),
        ("host", None),
    ):
        vault.identity(what, public)
    assert len(vault.identities) == 4
    body = vault.describe(value)["secret"]
    settle([(vault, [("x", body)])])
    assert body["equals"] == equals
    assert vault.identities == []


def test_marks_by_a_key_are_those_of_value_and_purpose() -> None:
    key, vault = ParityKey(bytes(range(32))), Vault()
    bodies = [vault.describe(value)["secret"] for value in ("one", "one", "one", "two")]
    settle([(vault, list(zip(("a", "a", "b", "a"), bodies, strict=True)))], key)
    marks = [body["parity"] for body in bodies]
    assert marks[0] == marks[1] == key.mark("a", "one")
    assert len(set(marks)) == 3
    plain = Vault().describe("one")["secret"]
    settle([(Vault(), [("a", plain)])])
    assert "parity" not in plain


def test_a_vault_shows_no_value() -> None:
    vault = Vault()
    vault.describe(SECRET)
    vault.identity("host", SECRET)
    assert SECRET not in repr(vault)


# How good a secret is


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ["lower"]), ("A", ["upper"]), ("1", ["digit"]), ("-", ["other"]), (" \x00", ["other"]), ("ÄäßЖ", ["other"]), ("", []),
        ("²", ["other"]), ("aA1-", ["digit", "lower", "other", "upper"]),
    ],
)  # fmt: skip
def test_classes(value: str, expected: list[str]) -> None:
    assert classes(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "empty"), ("Kf7jqpw", "weak"), ("Kf7jqpwm", "fair"),  # 7 and 8 characters
        ("Kf7KKfff7K7f", "weak"), ("Kf7-Kf7-Kf7-Kf7-", "weak"), ("Kf7-mKf7-mKf7-m", "fair"),  # 4 and 5 distinct ones
        ("kfjqpwmzxna", "weak"), ("kfjqpwmzxnav", "fair"), ("kfjqpwmzxnavgtrykfjq", "fair"),  # one class
        ("kf7jqpwmzxn3avb", "fair"), ("kf7jqpwmzxn3avb9", "strong"),  # 15 and 16 of two classes
        ("Kf7jqpwmZxn", "fair"), ("Kf7jqpwmZxnt", "strong"),  # 11 and 12 of three
        ("Kf7-mqPKf7-mqPKf", "fair"), ("Kf7-mqPwKf7-mqPw", "strong"),  # 7 and 8 distinct ones
        ("admin-Kf7mqPz", "strong"), ("admin-Kf7mq", "weak"), ("adminKf7mqPz", "weak"), ("adminKf7mqPzw", "strong"),  # a common word with 7 and 8 others
        ("SECRETadminKf7mqPz", "strong"), ("RabbitMQ7mqPz", "weak"),
        ("abcdKmqx", "fair"), ("abcdefg9Q", "weak"), ("abcdefg9Qx", "fair"), ("abcdK9mqx", "fair"), ("acegikmo9Q", "fair"),  # six neighbours of eight pairs
         ("abcdefgx", "weak"), ("abcabcabcabc", "weak"), ("zyxwvuTSRQponml9", "weak"), ("112233445566A!", "weak"),
    ],
)  # fmt: skip
def test_strength_at_its_bounds(value: str, expected: str) -> None:
    assert strength(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" \n\t", "empty"), ("pass\n", "chart-default"), ("PASS", None), (" Demo ", "demo"), ("Admin", "placeholder"), ("admin1", None), ("CHANGEME-now", "placeholder"),
        ("<x>", "placeholder"), ("<x", None), ("${x}", "placeholder"), ("${x", None), ("{{x}}", "placeholder"), ("{{x}", None), ("x<y>", None), ("replace-with-x", "placeholder"),
    ],
)  # fmt: skip
def test_shipped_values(value: str, expected: str | None) -> None:
    assert known(value) == expected


# Values of Secrets


@pytest.mark.parametrize(
    ("value", "content"),
    [(encode("x"), b"x"), ("", b""), ("eA", None), ("e A==", None), ("%", None), ("é", None), (None, None), (7, None), (b"eA==", None)],
)
def test_what_is_no_base64_is_none(value: Any, content: bytes | None) -> None:
    assert decoded(value) == content


@pytest.mark.parametrize("name", ["secret", "certificates", "receivers"])
def test_a_value_that_is_no_base64_is_malformed(name: str) -> None:
    for value in ("%", None, 7, [SECRET]):
        assert DESCRIBERS[name](value, Vault()) == {"malformed": "base64"}


def test_a_secret_of_bytes_that_are_no_text_is_described() -> None:
    assert describe.secret(encode(b"\xff\xfe\x00k"), Vault())["secret"]["length"] == 4


def test_certificates_of_a_secret() -> None:
    found = describe.certificates(encode(certificate()), Vault())
    assert found["certificates"][0]["subject"] == "exivity.acme.eu"


def test_a_pair_of_a_secret() -> None:
    data = {"tls.key": encode(private()), "tls.crt": encode(certificate()), "ca.crt": encode(certificate(subject="CA")), "s3cr3t": encode(SECRET)}
    found = describe.key_pair(data, Vault())
    assert found["keys"] == ["ca.crt", "tls.crt", "tls.key"]
    assert found["authority"]["certificates"][0]["subject"] == "CA"
    assert found["chain"]["certificates"][0]["subject"] == "exivity.acme.eu"
    assert found["key"] == {"type": "EC", "bits": 256, "matches": True}
    assert describe.key_pair({"tls.crt": encode(certificate())}, Vault())["authority"] is None
    assert describe.key_pair({}, Vault()) == {"keys": [], "authority": None, "chain": None, "key": None}
    assert describe.key_pair([SECRET], Vault()) == {"malformed": "list"}


# A Route's certificate

PAIR = {"certificate": certificate().decode(), "key": private().decode()}


def test_a_route_keeps_how_it_ends_and_the_pair_in_it() -> None:
    route = {
        "termination": "edge", "insecureEdgeTerminationPolicy": "Redirect", "externalCertificate": {"name": "tls"}, "destinationCACertificate": SECRET,
        "caCertificate": certificate(subject="CA").decode(), **PAIR,
    }  # fmt: skip
    found = describe.route_tls(route, Vault())
    assert (found["termination"], found["insecure"], found["external"]) == ("edge", "Redirect", "tls")
    assert [one["subject"] for one in found["chain"]["certificates"]] == ["exivity.acme.eu", "CA"]
    assert found["key"]["matches"] is True
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize(
    ("route", "chain", "key"),
    [
        ({}, False, False), ({"certificate": " ", "key": "\n"}, False, False), ({"certificate": 7, "key": 7}, False, False), ({**PAIR, "key": ""}, True, False),
        ({"caCertificate": PAIR["certificate"]}, False, False), ({"key": PAIR["key"]}, False, True),
    ],
)  # fmt: skip
def test_a_route_without_a_pair_has_none(route: Any, chain: bool, key: bool) -> None:
    found = describe.route_tls(route, Vault())
    assert (found["chain"] is not None, found["key"] is not None, found["external"]) == (chain, key, None)


def test_a_route_with_an_odd_external_certificate_is_malformed_there() -> None:
    assert describe.route_tls({"externalCertificate": "tls"}, Vault())["external"] == {"malformed": "str"}


def test_a_route_of_another_form() -> None:
    assert describe.route_tls(None, Vault()) is None
    assert describe.route_tls([SECRET], Vault()) == {"malformed": "list"}


# Who changed what


def test_changes_of_data_alone_are_told() -> None:
    def field(name: str, **fields: Any) -> dict[str, Any]:
        return {"manager": name, "operation": "Update", "time": "2026-01-01T00:00:00Z", "subresource": SECRET, "fieldsV1": fields}

    found = describe.change_times(
        [field("a", **{"f:data": {"f:x": SECRET}}), field("b", **{"f:stringData": {}}), field("c", **{"f:metadata": {}}), {"manager": "d"}, None],
        Vault(),
    )
    assert [one["manager"] for one in found] == ["a", "b"]
    assert set(found[0]) == {"manager", "operation", "time"}
    assert describe.change_times(None, Vault()) is None
    assert describe.change_times({"manager": SECRET}, Vault()) is None


# The product's config.json


def config(value: Any) -> Any:
    return describe.config_json(json.dumps(value), Vault())


def test_what_is_kept_of_config_json() -> None:
    vault = Vault()
    database = {"host": "db.acme.eu", "port": 5432, "sslmode": "require", "dbname": "exivity", "user": "joe", "password": SECRET, "options": SECRET}
    servers = [{"host": "mq", "port": 5672, "secure": True, "token": SECRET}, SECRET]
    broker = {"servers": servers, "user": "app", "vhost": "/", "password": "other", "uri": SECRET}
    found = describe.config_json(json.dumps({"db": {"parameters": database}, "mq": broker, "smtp": SECRET}), vault)
    assert {key: value for key, value in found["db"].items() if key != "password"} == {
        "host": "db.acme.eu", "port": 5432, "sslmode": "require", "dbname": "exivity", "user": "joe",
    }  # fmt: skip
    assert {key: value for key, value in found["mq"].items() if key != "password"} == {
        "user": "app", "vhost": "/", "servers": [{"host": "mq", "port": 5672, "secure": True}],
    }  # fmt: skip
    assert (found["db"]["password"]["secret"]["length"], found["mq"]["password"]["secret"]["length"]) == (20, 5)
    assert vault.identities == [("user name", "joe"), ("host", "db.acme.eu"), ("user name", "app")]
    assert set(found) == {"db", "mq"}
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize("text", [None, 7, "", "{", "[]", "7", "[" * 100_000])
def test_what_is_no_config_json(text: Any) -> None:
    assert describe.config_json(text, Vault()) == {"malformed": "json"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({}, set()),
        ({"db": SECRET, "mq": [SECRET]}, set()),
        ({"db": {"parameters": SECRET}}, set()),
        ({"db": {"parameters": {}}}, {"db"}),
        ({"mq": {}}, {"mq"}),
    ],
)
def test_parts_of_another_form_are_left_out(value: Any, kept: set[str]) -> None:
    assert set(config(value)) == kept


def test_servers_of_another_form_are_none() -> None:
    assert config({"mq": {"servers": SECRET}})["mq"]["servers"] == []


@pytest.mark.parametrize(
    ("password", "kept"), [(None, 0), ("", 0), (1234, 4), (1.5, 3), (True, {"malformed": "bool"}), ([SECRET], {"malformed": "list"})]
)
def test_a_password_is_described_whatever_scalar_it_is(password: Any, kept: Any) -> None:
    found = config({"mq": {"password": password}})["mq"]["password"]
    assert (found["secret"]["length"] if "secret" in found else found) == kept


@pytest.mark.parametrize(("name", "what"), [("user_name", "user name"), ("host_name", "host")])
def test_public_names_are_kept_and_remembered(name: str, what: str) -> None:
    vault = Vault()
    assert DESCRIBERS[name]("joe", vault) == "joe"
    assert vault.identities == [(what, "joe")]
    assert DESCRIBERS["host_name"](f"u:{SECRET}@db", vault) == "db"
    assert DESCRIBERS["user_name"](f"u:{SECRET}", vault) == "u"


# Helm's releases


def packed(content: Any, *, compressed: bool = True) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return encode(base64.b64encode(gzip.compress(raw, mtime=0) if compressed else raw))


def test_what_is_kept_of_a_release() -> None:
    found = describe.helm_values(packed({
        "name": "exivity", "namespace": "ns", "version": 3, "apply_method": "ssa", "manifest": SECRET, "hooks": [SECRET], "labels": SECRET,
        "info": {"status": "deployed", "first_deployed": "2026", "last_deployed": "2027", "notes": SECRET},
        "chart": {"metadata": {"name": "exivity", "version": "1", "appVersion": "2", "annotations": SECRET}, "values": SECRET},
        "config": {"nameOverride": "x", "other": SECRET},
    }), Vault())  # fmt: skip
    assert found == {
        "name": "exivity", "namespace": "ns", "version": 3, "apply_method": "ssa", "info": {"status": "deployed", "first_deployed": "2026", "last_deployed": "2027"},
        "chart": {"name": "exivity", "version": "1", "appVersion": "2"}, "values": {"nameOverride": "x"},
    }  # fmt: skip


def test_parts_of_a_release_of_another_form_are_empty() -> None:
    found = describe.helm_values(packed({"info": SECRET, "chart": {"metadata": SECRET}, "config": SECRET}), Vault())
    assert (found["info"], found["chart"], found["values"], found["name"]) == ({}, {}, {}, None)


@pytest.mark.parametrize(
    "value",
    [
        None, 7, "%", encode("%"), packed(b"{", compressed=False), packed(b"["), packed([1]), packed(b"7"), packed(b"[" * 100_000), packed(b"\xff\xfe"),
        encode(base64.b64encode(b"\x1f\x8b\x08" + SECRET.encode())), encode(base64.b64encode(b'{"version": 3}') + b"!"),
    ],
)  # fmt: skip
def test_what_is_no_release(value: Any) -> None:
    assert describe.helm_values(value, Vault()) == {"malformed": "helm release"}


def test_a_release_as_large_as_may_be_is_read_and_a_larger_one_is_not() -> None:
    def of(size: int) -> str:
        body = zlib.compressobj(1, zlib.DEFLATED, 31)
        head, tail = b'{"version": 3, "pad": "', b'"}'
        return encode(base64.b64encode(body.compress(head + b"x" * (size - len(head) - len(tail)) + tail) + body.flush()))

    assert describe.helm_values(of(LARGEST_HELM), Vault())["version"] == 3
    assert describe.helm_values(of(LARGEST_HELM + 2**16), Vault()) == {"malformed": "helm release"}


def test_public_forms_need_no_vault() -> None:
    assert DESCRIBERS["host"](f"u:{SECRET}@db", Vault()) == "db"
    assert DESCRIBERS["keys"]({"a": SECRET}, Vault()) == ["a"]
    assert DESCRIBERS["backup_url"](f"nfs://u:{SECRET}@nas/x", Vault()) == "nfs://nas/x"
    assert DESCRIBERS["step_name"]("a", Vault()) == "a"
