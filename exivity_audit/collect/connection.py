"""Finds out where the API server is and who we are to it, before the first request is made."""

from __future__ import annotations

import base64
import os
import ssl
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field

from exivity_audit.collect import kubeconfig as kubeconfigs
from exivity_audit.collect import tls
from exivity_audit.collect.credentials import Anonymous, Credentials, ExecCredentials, Fixed, TokenFile, basic
from exivity_audit.collect.exec_plugin import LONGEST_RUN, plugin_from
from exivity_audit.collect.proxy import Proxy, choose
from exivity_audit.discreet import Discreet
from exivity_audit.errors import UsageError, one_line

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class Connection(Discreet, Struct, frozen=True):
    """All that is needed to talk to one API server. Holds secrets; none of them is in its repr."""

    unprinted = ("ssl_context", "credentials")

    server: str
    ssl_context: ssl.SSLContext | None = None
    credentials: Credentials = field(default_factory=Anonymous)
    impersonation: tuple[tuple[str, str], ...] = ()
    proxy: Proxy | None = None
    tls_server_name: str = ""
    insecure: bool = False
    cluster_name: str = ""
    context: str = ""
    namespace: str = "default"
    identity: str = ""
    in_cluster: bool = False


def connect(
    *,
    kubeconfig: Path | None = None,
    context: str | None = None,
    impersonate: str | None = None,
    impersonate_groups: tuple[str, ...] = (),
    insecure: bool = False,
    login_seconds: float = LONGEST_RUN,
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> Connection:
    """Return the connection a kubeconfig, else the pod's service account, describes; runs an exec plug-in, asks no server.

    A plug-in gets ``login_seconds`` at most. Raises UsageError for what the operator can correct in a flag or kubeconfig, Unreachable for
    certificates, token files and plug-ins.
    The last three arguments are for tests.
    """
    environment = os.environ if environment is None else environment
    paths = kubeconfigs.candidates(kubeconfig, environment, home or Path.home())
    flags = _impersonation(impersonate or "", impersonate_groups, "", {})
    if paths:
        return _from_kubeconfig(kubeconfigs.load(paths, context), flags, insecure, login_seconds, environment)
    if environment.get("KUBERNETES_SERVICE_HOST") and (service_account / "token").is_file():
        if context:
            raise UsageError(
                f"The context {one_line(context, 80)!r} is not known: there is no kubeconfig.",
                "Leave --context away to use the pod's service account.",
            )
        return _from_service_account(service_account, flags, insecure, environment)
    listed = environment.get("KUBECONFIG", "")
    where = "No file named in KUBECONFIG exists" if listed else "There is no ~/.kube/config"
    raise UsageError(
        f"{where}, and this is not a pod with a service account.", "Name a kubeconfig with --kubeconfig, or judge a saved file with --snapshot."
    )


def cluster_behind(kubeconfig: Path | None, context: str | None) -> tuple[str, str]:
    """The names of the cluster and of the namespace behind a context, without asking anybody. Raises UsageError where there is no such context."""
    paths = kubeconfigs.candidates(kubeconfig, os.environ, Path.home())
    if not paths:
        return (connect(context=context).cluster_name if context else "in-cluster"), "default"
    selected = kubeconfigs.load(paths, context)
    return selected.cluster.name, selected.context.text("namespace") or "default"


def _from_kubeconfig(
    selected: kubeconfigs.Selected, flags: tuple[tuple[str, str], ...], insecure: bool, login_seconds: float, environment: Mapping[str, str]
) -> Connection:
    cluster, user = selected.cluster, selected.user
    server = _server(cluster.text("server"), cluster.name)
    insecure = insecure or cluster.values.get("insecure-skip-tls-verify") is True
    made: ssl.SSLContext | None = None
    authority = cluster.material("certificate-authority", "certificate authority")
    if server.startswith("https:"):
        made = tls.context(authority, insecure=insecure)
        certificate, key = user.material("client-certificate", "client certificate"), user.material("client-key", "client key")
        if certificate and key:
            tls.load_client_certificate(made, certificate, key)
        elif certificate or key:
            raise UsageError(
                "The kubeconfig's user has a client certificate without its key, or a key without its certificate.", "Correct the kubeconfig."
            )
    proxy = choose(server, cluster.text("proxy-url"), environment)
    credentials = _credentials(user, cluster, server, made, proxy, login_seconds)
    return Connection(
        server=server,
        ssl_context=made,
        credentials=credentials,
        impersonation=flags or _impersonation(user.text("as"), _texts(user, "as-groups"), user.text("as-uid"), _extra(user)),
        proxy=proxy,
        tls_server_name=cluster.text("tls-server-name"),
        insecure=insecure and made is not None,
        cluster_name=cluster.name,
        context=selected.context.name,
        namespace=selected.context.text("namespace") or "default",
        identity=user.name,
    )


def _credentials(
    user: kubeconfigs.Entry, cluster: kubeconfigs.Entry, server: str, made: ssl.SSLContext | None, proxy: Proxy | None, login_seconds: float
) -> Credentials:
    """Return the first way to log in that kubectl would take: token file, token, exec plug-in, basic auth, the OIDC provider's token."""
    known = ("tokenFile", "token", "exec", "username", "auth-provider")
    if made is None and any(user.values.get(key) for key in known) and urlsplit(server).hostname not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError("The kubeconfig's server is http, and its user's credentials are not sent in the clear.", "Use an https server.")
    token_file = user.path("tokenFile")
    if token_file is not None:
        return TokenFile(token_file)
    if user.text("token"):
        return Fixed("Bearer " + _token(user.text("token")))
    block = user.values.get("exec")
    if block is not None:
        if not isinstance(block, dict):
            raise UsageError("The kubeconfig's exec block is malformed.", "Compare it with the one your provider's login command writes.")
        return ExecCredentials(plugin_from(block, user.base, _cluster_information(cluster, server, proxy)), made, login_seconds)
    if user.text("username"):
        return basic(user.text("username"), user.text("password"))
    provider = user.values.get("auth-provider")
    if provider is None:
        return Anonymous()
    settings = provider.get("config") if isinstance(provider, dict) else None
    token = settings.get("id-token") if isinstance(settings, dict) else None
    if not isinstance(token, str) or not token:
        raise UsageError(
            "The kubeconfig's user logs in through an auth-provider, which Kubernetes no longer supports.",
            "Log in through an exec plug-in or a token.",
        )
    return Fixed("Bearer " + _token(token))


def _token(token: str) -> str:
    stripped = token.strip()
    if not stripped.isascii() or any(character.isspace() or not character.isprintable() for character in stripped):
        raise UsageError("The kubeconfig's token holds spaces or characters that no token has.", "Fetch the kubeconfig again.")
    return stripped


def _cluster_information(cluster: kubeconfigs.Entry, server: str, proxy: Proxy | None) -> dict[str, object]:
    """Return what a plug-in with `provideClusterInfo` gets to know."""
    known: dict[str, object] = {"server": server}
    authority = cluster.material("certificate-authority", "certificate authority")
    if authority:
        known["certificate-authority-data"] = base64.b64encode(authority).decode()
    if cluster.text("tls-server-name"):
        known["tls-server-name"] = cluster.text("tls-server-name")
    if cluster.values.get("insecure-skip-tls-verify") is True:
        known["insecure-skip-tls-verify"] = True
    if proxy is not None and cluster.text("proxy-url"):
        known["proxy-url"] = proxy.url
    for extension in cluster.values.get("extensions") or []:
        if isinstance(extension, dict) and extension.get("name") == "client.authentication.k8s.io/exec":
            known["config"] = extension.get("extension")
    return known


def _from_service_account(folder: Path, flags: tuple[tuple[str, str], ...], insecure: bool, environment: Mapping[str, str]) -> Connection:
    host = environment["KUBERNETES_SERVICE_HOST"]
    port = environment.get("KUBERNETES_SERVICE_PORT_HTTPS") or environment.get("KUBERNETES_SERVICE_PORT") or "443"
    server = _server(f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}", "in-cluster")
    made = tls.context(tls.read(folder / "ca.crt", "certificate authority"), insecure=insecure)
    credentials = TokenFile(folder / "token")
    try:
        namespace = (folder / "namespace").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        namespace = ""
    return Connection(
        server=server,
        ssl_context=made,
        credentials=credentials,
        impersonation=flags,
        proxy=choose(server, "", environment),
        insecure=insecure,
        cluster_name="in-cluster",
        namespace=namespace or "default",
        identity=_subject(credentials.authorization() or ""),
        in_cluster=True,
    )


def _subject(header: str) -> str:
    """Return the `sub` of a JWT without judging it: only a hint for the report, the server has the last word."""
    try:
        payload = header.split(".")[1]
        parsed: Any = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return one_line(parsed["sub"], 200)
    except (IndexError, KeyError, TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return ""


def _server(url: str, cluster: str) -> str:
    name = one_line(cluster, 80)
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or not url.isprintable() or " " in url.strip():
        raise UsageError(f"The server of the cluster {name!r} is not a URL like https://host:6443.", "Correct it in the kubeconfig.")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"The server URL of the cluster {name!r} holds a user name or password.", "Move it to the kubeconfig's user.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port or (443 if parts.scheme == 'https' else 80)}{parts.path.rstrip('/')}"


def _texts(user: kubeconfigs.Entry, key: str) -> tuple[str, ...]:
    values = user.values.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UsageError(f"The key {key} of the kubeconfig's user is not a list of texts.", "Correct the kubeconfig.")
    return tuple(values)


def _extra(user: kubeconfigs.Entry) -> Mapping[str, list[str]]:
    values = user.values.get("as-user-extra") or {}
    if not isinstance(values, dict) or not all(isinstance(value, list) for value in values.values()):
        raise UsageError("The key as-user-extra of the kubeconfig's user is not a mapping of lists.", "Correct the kubeconfig.")
    return values


def _impersonation(user: str, groups: tuple[str, ...], uid: str, extra: Mapping[str, list[str]]) -> tuple[tuple[str, str], ...]:
    """Return the impersonation headers; the package would silently drop them and read with the full rights."""
    if not user:
        if groups or uid or extra:
            raise UsageError("A group is impersonated without a user.", "Name the user as well, with --as.")
        return ()
    headers = [("Impersonate-User", user), *(("Impersonate-Group", group) for group in groups)]
    headers += [("Impersonate-Uid", uid)] if uid else []
    headers += [(f"Impersonate-Extra-{_escaped(key)}", str(value)) for key, values in extra.items() for value in values]
    if not all(value.isprintable() and value.strip() for _, value in headers):
        raise UsageError("A user or group to impersonate is empty or holds control characters.", "Correct --as, --as-group or the kubeconfig.")
    return tuple(headers)


def _escaped(key: str) -> str:
    """Percent-encode what a header name cannot hold, as client-go does."""
    plain = string.ascii_letters + string.digits + "-._~"
    return "".join(character if character in plain else "".join(f"%{byte:02X}" for byte in character.encode()) for character in str(key))
