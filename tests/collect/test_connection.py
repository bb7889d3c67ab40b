"""Kubeconfigs, service accounts and proxies as operators have them; no value of a file in any message, no key left behind."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from exivity_audit.collect import connection as module
from exivity_audit.collect import tls
from exivity_audit.collect.connection import Connection, connect
from exivity_audit.collect.credentials import TokenFile
from exivity_audit.collect.proxy import choose, excludes
from exivity_audit.errors import AuditError, Unreachable, UsageError
from tests.collect.fake_server import VERSION, Asked, FakeServer, Pair, Reply, make_pair, reply, status, write_kubeconfig

CANARY = "CANARY-secret-0123456789"


def load(path: Path, home: Path, **named: Any) -> Connection:
    return connect(kubeconfig=path, environment=named.pop("environment", {}), home=home, **named)


def refused(kind: type[AuditError], said: str, **named: Any) -> AuditError:
    with pytest.raises(kind, match=said) as error:
        connect(**{"environment": {}, **named})
    assert error.value.hint
    assert "CANARY" not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value


def document(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))
    return path


class TestSelection:
    def test_what_is_read(self, tmp_path: Path, authority: Pair) -> None:
        path = write_kubeconfig(
            tmp_path / "c",
            "https://api.example:6443/",
            authority.certificate,
            user={"token": CANARY},
            name="arn:aws:eks:x",
            tls_server_name="kubernetes",
        )
        made = load(path, tmp_path)
        assert (made.server, made.context, made.cluster_name, made.namespace) == (
            "https://api.example:6443",
            "arn:aws:eks:x",
            "arn:aws:eks:x",
            "exivity",
        )
        assert (made.tls_server_name, made.insecure, made.identity) == ("kubernetes", False, "arn:aws:eks:x")
        assert made.credentials.authorization() == f"Bearer {CANARY}"
        assert CANARY not in repr(made)
        assert made.ssl_context is not None
        assert made.ssl_context.verify_mode is ssl.CERT_REQUIRED
        assert made.ssl_context.check_hostname

    def test_files_are_merged_the_first_wins_and_paths_count_from_their_file(self, tmp_path: Path, authority: Pair) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "ca.pem").write_bytes(authority.certificate)
        (tmp_path / "b" / "token").write_text("of-b")
        first = write_kubeconfig(tmp_path / "a" / "config", "https://a:1", name="a")
        second = write_kubeconfig(tmp_path / "b" / "config", "https://b:2", name="b", user={"tokenFile": "token"}, certificate_authority="ca.pem")
        third = write_kubeconfig(tmp_path / "b" / "again", "https://b:3", name="b")
        environment = {"KUBECONFIG": f"{first}:/nowhere/at/all:{second}::{third}"}
        assert connect(environment=environment, home=tmp_path).server == "https://a:1"
        made = connect(environment=environment, home=tmp_path, context="b")
        assert made.server == "https://b:2"
        assert made.credentials.authorization() == "Bearer of-b"

    def test_the_home_folder_and_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / ".kube").mkdir()
        write_kubeconfig(tmp_path / ".kube" / "config", "https://h:1")
        assert connect(environment={}, home=tmp_path).server == "https://h:1"
        (tmp_path / ".kube" / "config").write_text("")
        refused(UsageError, "no current context", home=tmp_path)

    def test_an_unknown_context_names_the_nearest(self, tmp_path: Path) -> None:
        path = write_kubeconfig(tmp_path / "c", "https://h:1", name="production-ams")
        error = refused(UsageError, "'prodution-ams' is not in the kubeconfig", kubeconfig=path, context="prodution-ams", home=tmp_path)
        assert "nearest: production-ams" in str(error)
        assert error.exit_code == 2
        error = refused(UsageError, "is not in the kubeconfig", kubeconfig=path, context="zzz\x1b[31m", home=tmp_path)
        assert "known contexts: production-ams" in str(error)
        assert "\x1b" not in str(error)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"users": []}, "user 'ams' of the context 'ams' is not in"),
            ({"clusters": None}, "cluster 'ams' of the context 'ams' is not in"),
            ({"contexts": [{"name": "ams", "context": {}}]}, "No cluster is named by the context 'ams'"),
            ({"current-context": ""}, "no current context"),
            ({"contexts": [{"name": "ams", "context": "x"}]}, "malformed"),
            ({"contexts": [{"context": {}}]}, "malformed"),
            ({"contexts": "CANARY"}, "not a kubeconfig"),
            ({"users": [{"name": "ams", "user": {"token": ["CANARY"]}}]}, "key token of 'ams'"),
            ({"users": [{"name": "ams", "user": {"token": "CANARY\nX: y"}}]}, "token holds spaces"),
            ({"users": [{"name": "ams", "user": {"exec": "CANARY"}}]}, "exec block"),
            ({"users": [{"name": "ams", "user": {"auth-provider": {"name": "gcp", "config": {"access-token": "CANARY"}}}}]}, "auth-provider"),
            ({"users": [{"name": "ams", "user": {"as-groups": ["x"]}}]}, "without a user"),
            ({"users": [{"name": "ams", "user": {"as": "x\r\nCANARY"}}]}, "control characters"),
            ({"users": [{"name": "ams", "user": {"client-certificate-data": "CANARY!"}}]}, "not base64"),
        ],
    )
    def test_what_may_be_wrong_in_it(self, tmp_path: Path, authority: Pair, changes: dict[str, Any], said: str) -> None:
        path = document(write_kubeconfig(tmp_path / "c", "https://h:1", authority.certificate), **changes)
        refused(UsageError, said, kubeconfig=path, home=tmp_path)

    @pytest.mark.parametrize("text", ["a: [CANARY", "CANARY", "- CANARY", "\x00CANARY", "!!python/object:CANARY x"])
    def test_what_is_no_kubeconfig(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "c").write_text(text)
        refused(UsageError, "not valid YAML|not a kubeconfig", kubeconfig=tmp_path / "c", home=tmp_path)

    @pytest.mark.parametrize(
        "server", ["", "api.example:6443", "ftp://x", "https://", "https://h:99999", "https://h/?CANARY", "https://u:CANARY@h:1", "https://h h"]
    )
    def test_what_is_no_server(self, tmp_path: Path, server: str) -> None:
        refused(UsageError, "server", kubeconfig=write_kubeconfig(tmp_path / "c", server), home=tmp_path)

    def test_credentials_are_not_sent_in_the_clear(self, tmp_path: Path) -> None:
        path = write_kubeconfig(tmp_path / "c", "http://h:80", user={"token": "CANARY"})
        refused(UsageError, "in the clear", kubeconfig=path, home=tmp_path)
        assert load(write_kubeconfig(tmp_path / "c", "http://127.0.0.1:8001"), tmp_path).ssl_context is None

    def test_none_at_all(self, tmp_path: Path) -> None:
        assert "--kubeconfig" in str(refused(UsageError, "no ~/.kube/config", home=tmp_path))
        refused(UsageError, "KUBECONFIG", home=tmp_path, environment={"KUBECONFIG": "/nowhere"})
        refused(UsageError, "does not exist", home=tmp_path, kubeconfig=tmp_path / "gone")

    def test_flags_replace_the_impersonation_of_the_file(self, tmp_path: Path) -> None:
        path = write_kubeconfig(tmp_path / "c", "https://h:1", user={"as": "jane", "as-groups": ["a"]})
        assert load(path, tmp_path).impersonation == (("Impersonate-User", "jane"), ("Impersonate-Group", "a"))
        assert load(path, tmp_path, impersonate="joe", impersonate_groups=("b",)).impersonation == (
            ("Impersonate-User", "joe"),
            ("Impersonate-Group", "b"),
        )
        refused(UsageError, "without a user", kubeconfig=path, home=tmp_path, impersonate_groups=("b",))

    def test_ipv6(self, tmp_path: Path) -> None:
        assert load(write_kubeconfig(tmp_path / "c", "https://[::1]:6443"), tmp_path).server == "https://[::1]:6443"


class TestCertificates:
    @pytest.mark.parametrize("form", ["data", "files"])
    @pytest.mark.parametrize("memory", [True, False])
    def test_a_client_certificate_is_used_and_no_key_is_left(
        self,
        form: str,
        memory: bool,
        server_pair: Pair,
        authority: Pair,
        transport: Callable[..., Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        client = make_pair("jane", authority)
        if form == "data":
            user = {
                "client-certificate-data": base64.b64encode(client.certificate).decode(),
                "client-key-data": base64.b64encode(client.key).decode(),
            }
        else:
            (tmp_path / "client.pem").write_bytes(client.certificate)
            (tmp_path / "client.key").write_bytes(client.key)
            user = {"client-certificate": "client.pem", "client-key": "client.key"}
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(scratch))
        seen: list[int] = []
        if not memory:
            monkeypatch.delattr(os, "memfd_create")
            plain = ssl.SSLContext.load_cert_chain

            def spying(self: ssl.SSLContext, file: Any, *rest: Any, **named: Any) -> None:
                if scratch in Path(file).parents:
                    seen.append(Path(file).parent.stat().st_mode & 0o777)
                plain(self, file, *rest, **named)

            monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spying)
        fake = FakeServer(server_pair, authority.certificate)

        def judge(asked: Asked) -> Reply:
            return reply(VERSION) if asked.client and (("commonName", "jane"),) in asked.client["subject"] else status(401, "Unauthorized")

        fake.route("/version", judge)
        path = write_kubeconfig(tmp_path / "config", fake_url := "https://127.0.0.1:1", authority.certificate, user=user)
        with fake.running(tmp_path):
            path.write_text(path.read_text().replace(fake_url, fake.url))
            made = load(path, tmp_path)
            assert list(scratch.rglob("*")) == []
            assert seen == ([] if memory else [0o700])
            assert transport(made).first_contact().status == 200
        assert fake.asked[0].header("authorization") == []

    @pytest.mark.parametrize(
        ("cluster", "said"),
        [
            ({"certificate_authority": "gone.pem"}, "gone.pem of the kubeconfig cannot be read"),
            ({"certificate_authority": "empty.pem"}, "empty or not a PEM"),
            ({"certificate_authority": "odd.pem"}, "empty or not a PEM"),
            ({"certificate_authority_data": base64.b64encode(b"CANARY").decode()}, "empty or not a PEM"),
        ],
    )
    def test_an_authority_that_is_none_is_refused(self, tmp_path: Path, cluster: dict[str, Any], said: str) -> None:
        (tmp_path / "empty.pem").write_bytes(b"")
        (tmp_path / "odd.pem").write_bytes(b"\xff\xfeCANARY")
        path = write_kubeconfig(tmp_path / "c", "https://h:1", **cluster)
        assert refused(Unreachable, said, kubeconfig=path, home=tmp_path).exit_code == 4

    def test_keys_that_are_none_are_refused_without_asking_for_a_passphrase(self, tmp_path: Path, authority: Pair) -> None:
        from cryptography.hazmat.primitives import serialization

        locked = authority.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.BestAvailableEncryption(b"CANARY")
        )
        for key in (b"CANARY", make_pair("other").key, locked):
            (tmp_path / "key").write_bytes(key)
            user = {"client-certificate-data": base64.b64encode(authority.certificate).decode(), "client-key": "key"}
            refused(Unreachable, "cannot be used", kubeconfig=write_kubeconfig(tmp_path / "c", "https://h:1", user=user), home=tmp_path)
        user.pop("client-key")
        refused(UsageError, "without its key", kubeconfig=write_kubeconfig(tmp_path / "c", "https://h:1", user=user), home=tmp_path)

    def test_insecure_only_when_said_so_and_recorded(self, tmp_path: Path) -> None:
        for value, expected in ((True, True), (False, False), ("true", False), (1, False)):
            made = load(write_kubeconfig(tmp_path / "c", "https://h:1", insecure_skip_tls_verify=value), tmp_path)
            assert made.insecure is expected
            assert made.ssl_context is not None
            assert (made.ssl_context.verify_mode is ssl.CERT_NONE) is expected
        assert load(write_kubeconfig(tmp_path / "c", "https://h:1"), tmp_path, insecure=True).insecure

    def test_old_tls_is_not_offered(self) -> None:
        assert tls.context(None, insecure=True).minimum_version is ssl.TLSVersion.TLSv1_2


class TestTokens:
    def test_basic(self, tmp_path: Path) -> None:
        made = load(write_kubeconfig(tmp_path / "c", "https://h:1", user={"username": "jane", "password": "größe"}), tmp_path)
        assert made.credentials.authorization() == "Basic " + base64.b64encode("jane:größe".encode()).decode()

    def test_a_token_file_is_read_again_after_a_minute(self, tmp_path: Path) -> None:
        now = [0.0]
        path = tmp_path / "token"
        path.write_text("one\n")
        token = TokenFile(path, clock=lambda: now[0])
        path.write_text("two\n")
        now[0] = 59
        assert token.authorization() == "Bearer one"
        now[0] = 60
        assert token.authorization() == "Bearer two"
        path.unlink()
        now[0] = 200
        assert token.authorization() == "Bearer two"
        assert not token.renew()

    @pytest.mark.parametrize("content", [None, b"", b"\xff", b"CANARY one two"])
    def test_a_token_file_that_is_none(self, tmp_path: Path, content: bytes | None) -> None:
        if content is not None:
            (tmp_path / "token").write_bytes(content)
        refused(Unreachable, "token file", kubeconfig=write_kubeconfig(tmp_path / "c", "https://h:1", user={"tokenFile": "token"}), home=tmp_path)


class TestServiceAccount:
    @pytest.fixture
    def folder(self, tmp_path: Path, authority: Pair) -> Path:
        folder = tmp_path / "serviceaccount"
        folder.mkdir()
        payload = base64.urlsafe_b64encode(b'{"sub":"system:serviceaccount:audit:auditor"}').rstrip(b"=").decode()
        (folder / "token").write_text(f"e30.{payload}.CANARY")
        (folder / "ca.crt").write_bytes(authority.certificate)
        (folder / "namespace").write_text("audit")
        return folder

    def test_a_pod_reads_with_its_own_account(self, server: FakeServer, transport: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
        environment = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
        made = connect(environment=environment, home=tmp_path, service_account=folder)
        assert (made.in_cluster, made.cluster_name, made.namespace, made.identity) == (
            True,
            "in-cluster",
            "audit",
            "system:serviceaccount:audit:auditor",
        )
        assert transport(made).first_contact().status == 200
        assert server.asked[0].header("authorization")[0].startswith("Bearer e30.")
        refused(UsageError, "no kubeconfig", environment=environment, home=tmp_path, service_account=folder, context="ams")

    def test_a_kubeconfig_wins_and_ipv6_is_bracketed(self, folder: Path, tmp_path: Path) -> None:
        environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
        assert connect(environment=environment, home=tmp_path, service_account=folder).server == "https://[fd00::1]:443"
        path = write_kubeconfig(tmp_path / "c", "https://h:1")
        assert load(path, tmp_path, environment=environment, service_account=folder).server == "https://h:1"
        (folder / "ca.crt").unlink()
        refused(Unreachable, "cannot be read", environment=environment, home=tmp_path, service_account=folder)


class TestProxies:
    def test_the_environment_counts_unless_the_kubeconfig_says_otherwise(self, tmp_path: Path) -> None:
        environment = {"HTTPS_PROXY": "http://user:CANARY@proxy:3128", "NO_PROXY": "skip.example"}
        made = load(write_kubeconfig(tmp_path / "c", "https://api.example:6443"), tmp_path, environment=environment)
        assert made.proxy is not None
        assert made.proxy.url == "http://proxy:3128"
        assert "CANARY" not in repr(made)
        made = load(write_kubeconfig(tmp_path / "c", "https://api.skip.example:6443"), tmp_path, environment=environment)
        assert made.proxy is None
        made = load(write_kubeconfig(tmp_path / "c", "https://api.skip.example:6443", proxy_url="socks5://s"), tmp_path, environment=environment)
        assert made.proxy is not None
        assert made.proxy.url == "socks5://s:1080"
        made = load(write_kubeconfig(tmp_path / "c", "https://127.0.0.1:6443"), tmp_path, environment=environment)
        assert made.proxy is None

    def test_lower_case_and_no_scheme(self) -> None:
        assert choose("https://h:1", "", {"https_proxy": "p:8080"}) == choose("https://h:1", "http://p:8080", {})

    @pytest.mark.parametrize("url", ["ftp://p", "http://", "http://u:CANARY@p:port", "CANARY"])
    def test_what_is_no_proxy_is_refused_unseen(self, tmp_path: Path, url: str) -> None:
        refused(UsageError, "not a proxy URL", kubeconfig=write_kubeconfig(tmp_path / "c", "https://h:1", proxy_url=url), home=tmp_path)

    @pytest.mark.parametrize(
        ("excepted", "host", "port", "expected"),
        [
            ("*", "h", 1, True),
            ("example", "api.example", 1, True),
            (".example", "example", 1, False),
            ("*.example", "api.example", 1, True),
            ("ample", "api.example", 1, False),
            ("api.example:6443", "api.example", 6443, True),
            ("api.example:6443", "api.example", 443, False),
            ("10.0.0.0/8", "10.1.2.3", 1, True),
            ("10.0.0.0/8,x", "11.1.2.3", 1, False),
            ("fd00::/8", "fd00::1", 1, True),
            ("fd00::1", "fd00:0::1", 1, True),
            ("[fd00::1]:443", "fd00::1", 443, True),
            ("10.1.2.3:443", "10.1.2.3", 443, True),
            ("garbage/x,,", "10.1.2.3", 1, False),
            ("", "localhost", 1, True),
            ("", "::1", 1, True),
        ],
    )
    def test_no_proxy(self, excepted: str, host: str, port: int, expected: bool) -> None:
        assert excludes(excepted, host, port) is expected


def test_nothing_is_imported_for_it_too_early() -> None:
    assert "kubernetes" not in vars(module)


def test_a_port_of_no_proxy_that_is_no_plain_number_is_part_of_the_name() -> None:
    from exivity_audit.collect.proxy import excludes

    assert excludes("api.example:6443", "api.example", 6443)
    assert not excludes("api.example:443", "api.example", 6443)
    assert not excludes("api.example:²", "api.example", 6443)
