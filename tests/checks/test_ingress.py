"""The row ingress: every branch of its rules, over the real collector."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from exivity_audit_checks.ingress.chain import weak

from exivity_audit.config import Config, Declare, IngressIntent
from exivity_audit.evidence import Source
from exivity_audit.facts.certificates import Certificate, TlsSecret
from exivity_audit.facts.controllers import Product, product_of
from exivity_audit.subject import Subject
from exivity_audit.verdict import Status, Verdict
from tests import builders
from tests.builders import HOST, WORKERS, certificate, encode, made, multi_node, single_node
from tests.judging import judged, status, verdicts
from tests.mutation import drop, put
from tests.products import two_sites
from tests.world import NOW, OPTIONAL, World

FAIL, WARN, PASS, UNKNOWN, MANUAL, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.MANUAL, Status.SKIP
SLUGS = ("class", "controller-supported", "routes", "dns", "tls", "certificate", "plain-http", "trusted-proxy", "load-balancer")
UPSTREAM = Config(declare=Declare(ingress=IngressIntent(tls="upstream")))
BEHIND = Config(declare=Declare(ingress=IngressIntent(addresses=("203.0.113.7",))))
SUBJECT, CHART = f"Ingress exivity/exivity#{HOST}", "Ingress exivity/exivity"
ENVIRONMENT = "ConfigMap exivity/exivity-proximity-api-env"
TLS_SECRET = "Secret exivity/exivity-tls"


def served_by(*objects: dict[str, Any], name: str = "nginx", **changes: Any) -> World:
    """The multi-node world with another controller that serves the Ingress."""
    world = multi_node(ingress_class=name, **changes)
    world.add(*objects)
    return world


def under(world: World, slug: str, config: Config | None = None, **where: Any) -> dict[str, Verdict]:
    """The verdicts of one check of the row, by subject."""
    found = judged(world, config=config, **where)
    return {str(verdict.subject or ""): verdict for one in found.outcomes if one.check.id == f"ingress/{slug}" for verdict in one.verdicts}


def annotate(world: World, name: str, value: str) -> World:
    """The world with an annotation on the Ingress."""
    world.find("Ingress", "exivity")["metadata"].setdefault("annotations", {})[name] = value
    return world


def arguments(world: World, *more: str, without: str = "\0", name: str = "traefik") -> World:
    """The world with other arguments of a controller."""
    container = world.find("Deployment", name)["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [argument for argument in container["args"] if without not in argument] + list(more)
    return world


def secret(world: World, chain: bytes, key: bytes, **more: str) -> World:
    """The world with another pair in the TLS Secret."""
    world.find("Secret", "exivity-tls")["data"] = {"tls.crt": encode(chain), "tls.key": encode(key), **more}
    return world


def issue(
    *, key: Any = None, digest: Any = None, issuer: str = HOST, before: float = 100, host: str = HOST, authority: bool = False
) -> tuple[bytes, bytes]:
    """A single certificate with its key, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = key or ec.generate_private_key(ec.SECP256R1())
    subject, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (host, issuer))
    built = (
        x509.CertificateBuilder(
            above, subject, key.public_key(), x509.random_serial_number(), NOW - timedelta(days=before), NOW + timedelta(days=300)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return built.sign(key, digest or hashes.SHA256()).public_bytes(serialization.Encoding.PEM), private


@pytest.mark.parametrize("world", [multi_node, single_node])
def test_conforming_worlds(world: Any) -> None:
    found = {one.check.id: one.status for one in judged(world()).outcomes if one.check.row == "ingress"}
    assert found == {f"ingress/{slug}": MANUAL if slug == "dns" else PASS for slug in SLUGS}


@pytest.mark.parametrize("kind", ["ingress_nginx", "f5_nginx", "haproxy_technologies", "haproxy_ingress"])
def test_conforming_with_other_controllers(kind: str) -> None:
    found = {
        one.check.slug: one
        for one in judged(served_by(*getattr(builders, kind)(), name="haproxy" if "haproxy" in kind else "nginx")).outcomes
        if one.check.row == "ingress"
    }
    wanted = {slug: MANUAL if slug == "dns" else WARN if (slug, kind) == ("controller-supported", "ingress_nginx") else PASS for slug in SLUGS}
    assert {slug: one.status for slug, one in found.items()} == wanted


@pytest.mark.parametrize("slug", SLUGS)
def test_forbidden_ingresses_are_unknown(slug: str) -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "ingresses.networking.k8s.io"
    assert status(world, f"ingress/{slug}") is UNKNOWN


@pytest.mark.parametrize(
    ("slug", "resource", "needed"),
    [
        ("class", "ingressclasses.networking.k8s.io", True), ("class", "pods", True), ("controller-supported", "deployments.apps", True),
        ("routes", "endpointslices.discovery.k8s.io", True), ("tls", "secrets", True), ("certificate", "secrets", False), ("plain-http", "daemonsets.apps", True),
        ("plain-http", "middlewares.traefik.io", False), ("trusted-proxy", "configmaps", True), ("trusted-proxy", "pods", True),
        ("trusted-proxy", "nodes", False), ("load-balancer", "services", True), ("load-balancer", "nodes", True),
    ],
)  # fmt: skip
def test_denied_reads(slug: str, resource: str, needed: bool) -> None:
    world = multi_node()
    world.deny = lambda asked, namespace, name: asked == resource
    found = verdicts(world, f"ingress/{slug}")
    assert (UNKNOWN in {one.status for one in found.values()}) is needed
    assert FAIL not in {one.status for one in found.values()}


@pytest.mark.parametrize("slug", SLUGS)
def test_no_ingress(slug: str) -> None:
    world = multi_node()
    world.remove("Ingress", "exivity")
    found = verdicts(world, f"ingress/{slug}")["Release exivity/exivity"]
    assert found.status is (FAIL if slug == "class" else SKIP)
    assert found.follows == (None if slug == "class" else "ingress/class")
    for name in ("httproutes.gateway.networking.k8s.io", "routes.route.openshift.io"):
        world.resources[name] = OPTIONAL[name]
        assert verdicts(world, f"ingress/{slug}")["Release exivity/exivity"].status is found.status, "served, and nothing there"
        world.deny = lambda resource, namespace, asked, name=name: resource == name
        assert {one.status for one in verdicts(world, f"ingress/{slug}").values()} == {UNKNOWN}, "what may not be listed may be a way in"
        world.deny = lambda resource, namespace, asked: False


def test_an_operators_ingress_counts_and_a_foreign_one_does_not() -> None:
    world = multi_node()
    own = world.remove("Ingress", "exivity")
    own["metadata"] = {"name": "front", "namespace": "exivity"}
    world.add(own, made("networking.k8s.io/v1", "Ingress", "grafana", "exivity", spec={"rules": [{"host": "g", "http": {"paths": []}}]}))
    assert set(verdicts(world, "ingress/class")) == {"Ingress exivity/front"}
    assert status(world, "ingress/tls") is PASS
    world.edit("Ingress", "front", put("spec.ingressClassName", "none"))
    fix = verdicts(world, "ingress/class")["Ingress exivity/front"].fix
    assert fix is not None
    assert fix.patch == {"spec": {"ingressClassName": "traefik"}}


def test_malformed_ingress_is_unknown_and_its_sibling_is_judged() -> None:
    world = multi_node()
    world.add(made("networking.k8s.io/v1", "Ingress", "odd", "exivity", spec={"rules": {"host": 1}}))
    found = verdicts(world, "ingress/class")
    assert found["Ingress exivity/odd"].status is UNKNOWN
    assert found[CHART].status is PASS


def test_malformed_controller_is_unknown_and_its_sibling_is_judged() -> None:
    world = multi_node()
    world.add(
        made(
            "apps/v1",
            "DaemonSet",
            "odd",
            "traefik",
            metadata={"labels": {"app.kubernetes.io/name": "traefik"}},
            spec={"template": {"spec": {"containers": [{"image": 7}]}}},
        )
    )
    found = verdicts(world, "ingress/class")
    assert found["DaemonSet traefik/odd"].status is UNKNOWN
    assert found[CHART].status is PASS


class TestClass:
    def test_legacy_annotation(self) -> None:
        world = annotate(multi_node(), "kubernetes.io/ingress.class", "traefik")
        world.edit("Ingress", "exivity", drop("spec.ingressClassName"))
        found = verdicts(world, "ingress/class")[CHART]
        assert (found.status, found.remark) == (PASS, "named by the legacy annotation")
        world.remove("IngressClass", "traefik")
        assert verdicts(world, "ingress/class")[CHART].status is WARN
        annotate(world, "kubernetes.io/ingress.class", "nobody")
        assert verdicts(world, "ingress/class")[CHART].status is FAIL

    @pytest.mark.parametrize(("controller", "wanted", "words"), [
        ("acme.io/door", WARN, "acme.io/door"), ("ingress.k8s.aws/alb", UNKNOWN, "AWS Load Balancer Controller: its pods are not looked at"),
        ("k8s.io/ingress-nginx", UNKNOWN, "no workload"),
    ])  # fmt: skip
    def test_other_controllers(self, controller: str, wanted: Status, words: str) -> None:
        world = multi_node()
        world.edit("IngressClass", "traefik", put("spec.controller", controller))
        found = verdicts(world, "ingress/class")[CHART]
        assert found.status is wanted
        assert words in found.message

    def test_pods_partly_ready(self) -> None:
        world = multi_node()
        world.edit("Deployment", "traefik", put("status.readyReplicas", 1))
        assert verdicts(world, "ingress/class")[CHART].status is WARN

    def test_fix_names_the_classes(self) -> None:
        world = multi_node(ingress_class="absent")
        fix = verdicts(world, "ingress/class")[CHART].fix
        assert fix is not None
        assert fix.values == (("ingress.ingressClassName", "traefik"),)
        world.add(*builders.haproxy_ingress())
        fix = verdicts(world, "ingress/class")[CHART].fix
        assert fix is not None
        assert "haproxy, traefik" in fix.text

    def test_traefik_as_drop_in_is_told_by_its_image(self) -> None:
        world = arguments(multi_node(), "--providers.kubernetesIngressNGINX=true")
        world.edit("IngressClass", "traefik", put("spec.controller", "k8s.io/ingress-nginx"))
        assert verdicts(world, "ingress/class")[CHART].status is PASS
        assert status(world, "ingress/controller-supported") is PASS

    def test_no_class_leaves_the_other_checks_to_the_only_class(self) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", drop("spec.ingressClassName"))
        assert status(world, "ingress/plain-http") is PASS

    def test_unknown_controller_skips_behind_a_missing_class(self) -> None:
        world = multi_node(ingress_class="absent")
        for slug in ("controller-supported", "plain-http", "trusted-proxy", "load-balancer"):
            found = [one for one in verdicts(world, f"ingress/{slug}").values() if one.follows]
            assert [one.follows for one in found] == ["ingress/class"]


@pytest.mark.parametrize(("image", "product"), [
    ("docker.io/traefik:v3.6.2", Product.TRAEFIK), ("rancher/mirrored-library-traefik:3.6.2", Product.TRAEFIK),
    ("registry.corp:5000/mirror/ingress-nginx/controller@sha256:ab", Product.INGRESS_NGINX), ("rancher/nginx-ingress-controller:v1.14.5-hardened1", Product.INGRESS_NGINX),
    ("nginx/nginx-ingress:5.4.0", Product.F5_NGINX), ("haproxytech/kubernetes-ingress:3.2", Product.HAPROXY_TECHNOLOGIES),
    ("quay.io/jcmoraisjr/haproxy-ingress:v0.15.0", Product.HAPROXY_INGRESS), ("registry.corp/door:1", None),
])  # fmt: skip
def test_product_by_image(image: str, product: Product | None) -> None:
    assert product_of(image) is product


class TestControllerSupported:
    def test_ingress_nginx_is_archived(self) -> None:
        found = verdicts(served_by(*builders.ingress_nginx(config={"allow-snippet-annotations": "true"})), "ingress/controller-supported")
        one = found["Deployment ingress-nginx/ingress-nginx-controller"]
        assert one.status is WARN
        assert "ingress-nginx v1.15.1, ended on 24 Mar 2026; snippets are allowed" in one.message
        assert one.fix is not None
        assert "Gateway API" in one.fix.text

    def test_a_vendors_build_says_so(self) -> None:
        found = verdicts(
            served_by(*builders.ingress_nginx("rancher/nginx-ingress-controller:v1.14.5-hardened1", daemon=True)), "ingress/controller-supported"
        )
        one = found["DaemonSet ingress-nginx/ingress-nginx-controller"]
        assert one.status is WARN
        assert "Rancher's build" in one.message
        assert one.fix is not None
        assert one.fix.text.startswith("Ask who maintains Rancher's build")

    def test_a_renamed_image_is_told_by_its_label(self) -> None:
        world = multi_node()
        world.edit("Deployment", "traefik", put("spec.template.spec.containers.0.image", "registry.corp/door:1"))
        found = verdicts(world, "ingress/controller-supported")["Deployment traefik/traefik"]
        assert (found.status, "told by its label" in found.remark) == (PASS, True)


class TestRoutes:
    @pytest.mark.parametrize("path", ["/v1", "/v1/*", "/v1/?(.*)", "/v1(/|$)(.*)"])
    def test_other_spellings(self, path: str) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", put("spec.rules.0.http.paths.0.path", path))
        assert status(world, "ingress/routes") is PASS

    def test_exact_serves_nothing_below(self) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", put("spec.rules.0.http.paths.0.pathType", "Exact"))
        assert verdicts(world, "ingress/routes")[f"{SUBJECT}/v1/"].status is FAIL

    def test_a_second_host_for_the_api_alone(self) -> None:
        world = multi_node()
        rule = world.find("Ingress", "exivity")["spec"]["rules"]
        rule.append({"host": "api.acme.eu", "http": {"paths": rule[0]["http"]["paths"][:2]}})
        found = verdicts(world, "ingress/routes")
        assert {one.status for one in found.values()} == {PASS}
        assert len(found) == 5

    def test_no_ready_endpoint_and_wrong_port(self) -> None:
        world = multi_node()
        for endpoint in world.find("EndpointSlice", "exivity-glass-x7k2p")["endpoints"]:
            endpoint["conditions"]["ready"] = False
        world.edit("EndpointSlice", "exivity-proximity-api-x7k2p", put("ports.0.name", "web"))
        found = verdicts(world, "ingress/routes")
        assert found[f"{SUBJECT}/"].message.endswith("exivity-glass, none ready, wanted ≥ 1: ready endpoints")
        assert "has no port http" in found[f"{SUBJECT}/v1/"].message

    def test_passive_site_has_no_endpoints(self) -> None:
        world = multi_node()
        world.remove("EndpointSlice", "exivity-glass-x7k2p")
        assert status(world, "ingress/routes") is FAIL
        found = verdicts(world, "ingress/routes", role="passive")
        assert {one.status for one in found.values()} == {PASS}

    def test_an_active_site_that_asks_for_nothing_has_no_endpoints(self) -> None:
        world = multi_node()
        two_sites.stand_by(world)
        found = verdicts(world, "ingress/routes", role="active")
        assert {(one.status, one.follows) for one in found.values()} == {(SKIP, "disaster_recovery/active-replicas")}
        world.edit("Ingress", "exivity", put("spec.rules.0.http.paths.2.backend.service.name", "exivity-use"))
        assert verdicts(world, "ingress/routes", role="active")[f"{SUBJECT}/"].status is FAIL
        assert {one.status for one in verdicts(world, "ingress/routes").values()} == {FAIL}

    def test_malformed_slice(self) -> None:
        world = multi_node()
        world.edit("EndpointSlice", "exivity-glass-x7k2p", put("endpoints", "none"))
        found = verdicts(world, "ingress/routes")
        assert found["EndpointSlice exivity/exivity-glass-x7k2p"].status is UNKNOWN
        assert found[f"{SUBJECT}/v1/"].status is PASS


class TestDns:
    @pytest.mark.parametrize(("host", "wanted"), [
        ("", FAIL), ("exivity", FAIL), ("Exivity.Local", FAIL), ("localhost", FAIL), ("10.0.0.5", FAIL), ("2001:db8::1", FAIL), ("exivity.example.com", FAIL),
        ("example.org", FAIL), ("costs", WARN), ("costs.local", WARN), ("costs.acme.eu", MANUAL),
    ])  # fmt: skip
    def test_hosts(self, host: str, wanted: Status) -> None:
        world = multi_node(host=host or HOST)
        if not host:
            world.edit("Ingress", "exivity", drop("spec.rules.0.host"))
        assert status(world, "ingress/dns") is wanted

    def test_passive_is_inverted(self) -> None:
        found = verdicts(multi_node(), "ingress/dns", role="passive")[SUBJECT]
        assert found.status is MANUAL
        assert "does not lead to this site" in found.message


class TestTls:
    def test_upstream_is_attested(self) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", drop("spec.tls"))
        for slug in ("tls", "certificate", "plain-http"):
            assert under(world, slug, UPSTREAM)[SUBJECT].status is MANUAL

    def test_nothing_fails_and_the_others_follow(self) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", drop("spec.tls"))
        assert under(world, "tls")[SUBJECT].status is FAIL
        for slug in ("certificate", "plain-http"):
            one = under(world, slug)[SUBJECT]
            assert (one.status, one.follows) == (SKIP, "ingress/tls")

    @pytest.mark.parametrize(("change", "words"), [
        (put("type", "Opaque"), "is of type Opaque"), (drop("data.tls\\.key"), "holds no key"), (put("data.tls\\.key", encode("nonsense")), "cannot be read"),
        (put("data.tls\\.crt", encode("nonsense")), "holds no certificate"),
    ])  # fmt: skip
    def test_a_secret_that_cannot_serve(self, change: Any, words: str) -> None:
        world = multi_node()
        world.edit("Secret", "exivity-tls", change)
        assert words in under(world, "tls")[SUBJECT].message
        assert under(world, "certificate")[SUBJECT].follows == "ingress/tls"

    @pytest.mark.parametrize(("hosts", "wanted"), [(["*.acme.eu"], PASS), ([], PASS), (["acme.eu"], FAIL), (["*.eu"], FAIL)])
    def test_entries(self, hosts: list[str], wanted: Status) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", put("spec.tls.0.hosts", hosts))
        assert status(world, "ingress/tls") is wanted

    def test_default_certificate_in_the_arguments(self) -> None:
        world = served_by(*builders.ingress_nginx())
        world.edit("Ingress", "exivity", drop("spec.tls"))
        arguments(world, "--default-ssl-certificate=ingress-nginx/wildcard", name="ingress-nginx-controller")
        assert under(world, "tls")[SUBJECT].status is PASS
        assert under(world, "certificate")[SUBJECT].status is UNKNOWN
        chain, key = certificate(HOST)
        world.add(
            made("v1", "Secret", "wildcard", "ingress-nginx", type="kubernetes.io/tls", data={"tls.crt": encode(chain), "tls.key": encode(key)})
        )
        assert under(world, "certificate")["Secret ingress-nginx/wildcard"].status is PASS
        assert under(world, "plain-http")[SUBJECT].status is FAIL

    def test_default_certificate_in_a_tls_store(self) -> None:
        world = multi_node()
        world.edit("Ingress", "exivity", drop("spec.tls"))
        world.add(made("traefik.io/v1alpha1", "TLSStore", "default", "traefik", spec={"defaultCertificate": {"secretName": "wildcard"}}))
        assert under(world, "tls")[SUBJECT].status is PASS
        world.deny = lambda resource, namespace, name: resource == "tlsstores.traefik.io"
        assert under(world, "tls")[SUBJECT].status is UNKNOWN

    def test_default_certificate_of_haproxy(self) -> None:
        world = served_by(*builders.haproxy_technologies(config={"ssl-certificate": "kubernetes-ingress/wildcard"}), name="haproxy")
        world.edit("Ingress", "exivity", drop("spec.tls"))
        assert under(world, "tls")[SUBJECT].status is PASS

    def test_secrets_not_asked(self) -> None:
        found = verdicts(multi_node(), "ingress/tls", secrets="none")[SUBJECT]
        assert found.status is UNKNOWN
        assert "--secrets none" in found.message


class TestCertificate:
    def test_expired_before_its_time_and_foreign(self) -> None:
        assert "expired on 20 Nov 2026" in under(secret(multi_node(), *certificate(HOST, days=-3)), "certificate")[TLS_SECRET].message
        assert "is valid from" in under(secret(multi_node(), *issue(before=-5)), "certificate")[TLS_SECRET].message
        assert "for x.eu" in under(secret(multi_node(), *certificate(HOST, names=("x.eu",))), "certificate")[TLS_SECRET].message
        assert under(secret(multi_node(), *certificate(HOST, names=("*.acme.eu",))), "certificate")[TLS_SECRET].status is PASS

    def test_ends_soon(self) -> None:
        world = secret(multi_node(), *certificate(HOST, days=30))
        assert under(world, "certificate")[TLS_SECRET].status is WARN
        assert under(world, "certificate", Config(thresholds={"certificate.days": 20}))[TLS_SECRET].status is PASS

    @pytest.mark.parametrize(("world", "purpose", "wanted"), [
        (multi_node, "production", FAIL), (multi_node, "evaluation", WARN), (single_node, "production", FAIL), (single_node, "evaluation", PASS),
    ])  # fmt: skip
    def test_the_charts_own(self, world: Any, purpose: Any, wanted: Status) -> None:
        found = under(secret(world(), *certificate(HOST, issuer="exivity-ca", chained=False)), "certificate", Config(purpose=purpose))
        assert found[TLS_SECRET].status is wanted

    def test_evaluation_relaxes_nothing_else(self) -> None:
        found = under(secret(single_node(), *certificate(HOST, chained=False)), "certificate", Config(purpose="evaluation"))
        assert found[TLS_SECRET].status is FAIL

    def test_chain(self) -> None:
        chain, key = certificate(HOST)
        leaf, above = (b"-----BEGIN" + part for part in chain.split(b"-----BEGIN")[1:])
        assert "alone, without ACME Issuing CA" in under(secret(multi_node(), leaf, key), "certificate")[TLS_SECRET].message
        other, _ = issue(host="Other CA", issuer="Root", authority=True)
        assert "followed by Other CA" in under(secret(multi_node(), leaf + other + above, key), "certificate")[TLS_SECRET].message
        root, _ = issue(host="ACME Issuing CA", issuer="ACME Issuing CA", authority=True)
        assert under(secret(multi_node(), leaf, key, **{"ca.crt": encode(root)}), "certificate")[TLS_SECRET].status is PASS

    def test_weak_keys_and_digests(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        assert "RSA 1024" in under(secret(multi_node(), *certificate(HOST, key_bits=1024)), "certificate")[TLS_SECRET].message
        assert "EC 224" in under(secret(multi_node(), *issue(key=ec.generate_private_key(ec.SECP224R1()))), "certificate")[TLS_SECRET].message
        assert under(secret(multi_node(), *issue(key=rsa.generate_private_key(65537, 2048))), "certificate")[TLS_SECRET].status is WARN

    def test_sha1(self) -> None:
        """The library signs no SHA-1 any more, so the fact is built by hand; a self-signed root may keep its old digest."""
        leaf = Certificate("CN=x", "CA", "CN=CA", "x", ("x",), NOW, NOW, "sha1", "RSA", 2048)
        root = Certificate("CN=CA", "CA", "CN=CA", "CA", (), NOW, NOW, "sha1", "RSA", 2048)
        found = TlsSecret(
            Subject("Secret", "s", "n"), Source("r", "secrets", "n", "s"), "s", "n", "kubernetes.io/tls", (leaf, root), None, "matches", False
        )
        assert [measured for measured, _, _ in weak(found)] == ["x is signed with SHA1"]

    def test_self_signed_is_a_warning(self) -> None:
        assert under(secret(multi_node(), *issue()), "certificate")[TLS_SECRET].message.count("self-signed") == 1


class TestPlainHttp:
    def test_traefik(self) -> None:
        bare = arguments(multi_node(), without="redirections")
        found = under(bare, "plain-http")[SUBJECT]
        assert (found.status, "entry point web serves HTTP" in found.message) == (FAIL, True)
        assert status(annotate(bare.copy(), "traefik.ingress.kubernetes.io/router.entrypoints", "websecure"), "ingress/plain-http") is PASS
        assert status(annotate(bare.copy(), "traefik.ingress.kubernetes.io/router.tls", "true"), "ingress/plain-http") is PASS
        assert status(arguments(bare.copy(), without="entryPoints"), "ingress/plain-http") is UNKNOWN
        asked = annotate(bare.copy(), "traefik.ingress.kubernetes.io/router.middlewares", "exivity-https@kubernetescrd")
        asked.resources = bare.resources
        assert status(asked, "ingress/plain-http") is FAIL
        asked.add(
            made(
                "traefik.io/v1alpha1",
                "Middleware",
                "https",
                "exivity",
                spec={"redirectScheme": {"scheme": "https"}, "headers": {"stsSeconds": 31536000}},
            )
        )
        assert (status(asked, "ingress/plain-http"), under(asked, "plain-http")[SUBJECT].remark) == (PASS, "")
        elsewhere = annotate(bare.copy(), "traefik.ingress.kubernetes.io/router.middlewares", "shared-https@kubernetescrd")
        assert status(elsewhere, "ingress/plain-http") is UNKNOWN

    def test_no_http_port_is_published(self) -> None:
        world = arguments(multi_node(), without="redirections")
        world.edit("Service", "traefik", put("spec.ports", [{"name": "websecure", "port": 443}]), namespace="traefik")
        assert "no port for HTTP is published" in under(world, "plain-http")[SUBJECT].message

    @pytest.mark.parametrize(("config", "annotations", "wanted"), [
        ({}, {}, PASS), ({"ssl-redirect": "false"}, {}, FAIL), ({"ssl-redirect": "false"}, {"force-ssl-redirect": "true"}, PASS),
        ({}, {"ssl-redirect": "false"}, FAIL), ({"force-ssl-redirect": "true"}, {"ssl-redirect": "false"}, PASS), ({"hsts": "false"}, {}, PASS),
    ])  # fmt: skip
    def test_ingress_nginx(self, config: dict[str, str], annotations: dict[str, str], wanted: Status) -> None:
        world = served_by(*builders.ingress_nginx(config=config))
        for name, value in annotations.items():
            annotate(world, f"nginx.ingress.kubernetes.io/{name}", value)
        found = under(world, "plain-http")[SUBJECT]
        assert found.status is wanted
        assert bool(found.remark) is (config.get("hsts") == "false")
        if wanted is FAIL:
            assert found.fix is not None
            assert found.fix.values == (("ingress.annotations[nginx.ingress.kubernetes.io/force-ssl-redirect]", "true"),)

    def test_unread_config(self) -> None:
        world = served_by(*builders.ingress_nginx())
        world.deny = lambda resource, namespace, name: resource == "configmaps" and namespace == "ingress-nginx"
        assert under(world, "plain-http")[SUBJECT].status is UNKNOWN
        assert under(world, "trusted-proxy")["Deployment ingress-nginx/ingress-nginx-controller"].status is UNKNOWN
        annotate(world, "nginx.ingress.kubernetes.io/force-ssl-redirect", "true")
        assert under(world, "plain-http")[SUBJECT].status is PASS

    @pytest.mark.parametrize(("kind", "annotation"), [
        ("f5_nginx", "nginx.org/ssl-redirect"), ("haproxy_technologies", "haproxy.org/ssl-redirect"), ("haproxy_ingress", "haproxy-ingress.github.io/ssl-redirect"),
    ])  # fmt: skip
    def test_the_others(self, kind: str, annotation: str) -> None:
        name = "nginx" if kind == "f5_nginx" else "haproxy"
        assert status(served_by(*getattr(builders, kind)(config={"ssl-redirect": "false"}), name=name), "ingress/plain-http") is FAIL
        world = annotate(served_by(*getattr(builders, kind)(), name=name), annotation, "false")
        assert status(world, "ingress/plain-http") is FAIL
        world = annotate(served_by(*getattr(builders, kind)(config={"ssl-redirect": "false"}), name=name), annotation, "true")
        assert status(world, "ingress/plain-http") is PASS

    def test_drop_in(self) -> None:
        world = arguments(multi_node(), "--providers.kubernetesIngressNGINX=true", without="redirections")
        world.edit("IngressClass", "traefik", put("spec.controller", "k8s.io/ingress-nginx"))
        assert status(world, "ingress/plain-http") is UNKNOWN
        assert status(annotate(world, "nginx.ingress.kubernetes.io/ssl-redirect", "true"), "ingress/plain-http") is PASS


class TestTrustedProxy:
    @pytest.mark.parametrize(("value", "wanted", "words"), [
        ("10.42.0.0/16", PASS, ""), ("127.0.0.1, 10.42.0.0/16", PASS, ""), ("", FAIL, "not set"), ("traefik", FAIL, "no address and no range"),
        ("10.42.0.0/33", FAIL, "no range"), ("192.168.0.0/16", FAIL, "without 10.42.1.5"), ("10.42.1.5", FAIL, "without 10.42.1.6"),
        ("10.42.1.5,10.42.1.6", WARN, "next restart"), ("*", WARN, "everyone"), ("0.0.0.0/0", WARN, "everyone"), ("10.42.0.0/16 ::/0", WARN, "everyone"),
        ("10.42.1.0/24", WARN, "every node"), ("2001:db8::/32", FAIL, "without"),
    ])  # fmt: skip
    def test_values(self, value: str, wanted: Status, words: str) -> None:
        found = under(multi_node(trusted_proxy=value), "trusted-proxy")[ENVIRONMENT]
        assert found.status is wanted
        assert words in found.message
        if wanted is not PASS:
            assert found.fix is not None
            assert found.fix.values == (("ingress.trustedProxy", "10.42.0.0/20"),)

    @pytest.mark.parametrize(("value", "wanted"), [
        ("0.0.0.0/1,128.0.0.0/1", WARN), ("10.42.0.0/16, 0.0.0.0/2,64.0.0.0/2,128.0.0.0/2,192.0.0.0/3", WARN), ("1.0.0.0/8,2.0.0.0/7,4.0.0.0/6,8.0.0.0/5,16.0.0.0/4,"
        "32.0.0.0/3,64.0.0.0/2,128.0.0.0/2,192.0.0.0/3", WARN), ("10.42.0.0/16,2000::/4,3000::/4", WARN), ("10.42.0.0/17,10.42.128.0/17", PASS), ("10.42.0.0/16,fd00::/8", PASS),
    ])  # fmt: skip
    def test_ranges_are_taken_together(self, value: str, wanted: Status) -> None:
        found = under(multi_node(trusted_proxy=value), "trusted-proxy")[ENVIRONMENT]
        assert found.status is wanted
        assert ("together everyone" in found.message) is (wanted is WARN)

    def test_a_network_that_assigns_its_own_ranges(self) -> None:
        world = multi_node(trusted_proxy="172.16.0.0/16")
        for number, pod in enumerate(one for one in world.all("Pod") if one["metadata"]["namespace"] == "traefik"):
            pod["status"]["podIP"] = f"172.16.3.{number + 7}"
        assert under(world, "trusted-proxy")[ENVIRONMENT].status is PASS

    def test_host_network(self) -> None:
        objects = builders.ingress_nginx(daemon=True, host_network=True, nodes=WORKERS, service=None)
        world = served_by(*objects)
        found = under(world, "trusted-proxy")[ENVIRONMENT]
        assert (found.status, "host network" in found.message) == (WARN, True)
        assert found.fix is not None
        assert world_trusts(objects, str(found.fix.values[0][1])) is PASS
        assert world_trusts(objects, "10.0.0.0/8") is PASS
        assert world_trusts(objects, "192.168.0.0/16") is FAIL

    @pytest.mark.parametrize(("objects", "name", "believes"), [
        (lambda: builders.ingress_nginx(config={"use-forwarded-headers": "true"}), "nginx", True),
        (lambda: builders.ingress_nginx(config={"use-forwarded-headers": "true", "proxy-real-ip-cidr": "10.0.0.0/24"}), "nginx", False),
        (lambda: builders.ingress_nginx(config={"enable-real-ip": "true"}), "nginx", True),
        (lambda: builders.f5_nginx(config={"set-real-ip-from": "0.0.0.0/0"}), "nginx", True),
        (lambda: builders.f5_nginx(config={"set-real-ip-from": "10.0.0.0/24"}), "nginx", False),
        (lambda: builders.haproxy_technologies(config={"src-ip-header": "X-Real-IP"}), "haproxy", True),
        (lambda: builders.haproxy_technologies(config={"proxy-protocol": "0.0.0.0/0"}), "haproxy", True),
        (lambda: builders.haproxy_ingress(config={"forwardfor": "ignore"}), "haproxy", True),
    ])  # fmt: skip
    def test_controllers_that_believe_everyone(self, objects: Any, name: str, believes: bool) -> None:
        found = [one for subject, one in under(served_by(*objects(), name=name), "trusted-proxy").items() if subject.startswith("Deployment")]
        assert [one.status for one in found] == [WARN if believes else PASS]

    def test_traefik_trusts_every_address(self) -> None:
        world = arguments(multi_node(), "--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.1/32,0.0.0.0/0")
        assert under(world, "trusted-proxy")["Deployment traefik/traefik"].status is WARN

    def test_controllers_that_trust_everyone_by_halves(self) -> None:
        halves = "0.0.0.0/1,128.0.0.0/1"
        world = arguments(multi_node(), f"--entryPoints.web.forwardedHeaders.trustedIPs={halves}")
        assert under(world, "trusted-proxy")["Deployment traefik/traefik"].status is WARN
        for kind, config in (
            ("ingress_nginx", {"use-forwarded-headers": "true", "proxy-real-ip-cidr": halves}),
            ("f5_nginx", {"set-real-ip-from": halves}),
        ):
            found = under(served_by(*getattr(builders, kind)(config=config)), "trusted-proxy")
            assert [one.status for subject, one in found.items() if subject.startswith("Deployment")] == [WARN]

    def test_hostile_addresses(self) -> None:
        world = multi_node()
        for pod in world.all("Pod"):
            pod["status"]["podIP"] = "; rm -rf"
        assert under(world, "trusted-proxy")[ENVIRONMENT].status is UNKNOWN


def world_trusts(objects: list[dict[str, Any]], value: str) -> Status:
    """What the API's trust in some addresses is worth with a controller on the host network."""
    return under(served_by(*objects, trusted_proxy=value), "trusted-proxy")[ENVIRONMENT].status


def test_a_ready_controller_without_a_ready_pod_is_unknown() -> None:
    world = multi_node()
    world.objects = [item for item in world.objects if item["kind"] != "Pod" or item["metadata"]["namespace"] != "traefik"]
    found = under(world, "class")[CHART]
    assert found.status is UNKNOWN
    assert "no ready pod" in found.message
    world = multi_node()
    for pod in world.all("Pod"):
        if pod["metadata"]["namespace"] == "traefik":
            pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    assert under(world, "class")[CHART].status is UNKNOWN


class TestLoadBalancer:
    def test_one_node(self) -> None:
        objects = builders.ingress_nginx(nodes=("worker-1",))
        found = under(served_by(*objects), "load-balancer")["Deployment ingress-nginx/ingress-nginx-controller"]
        assert (found.status, found.measured) == (WARN, 1)
        assert set(under(single_node(), "load-balancer")) == {"Service kube-system/traefik"}

    @pytest.mark.parametrize(("change", "words"), [
        (put("metadata.annotations", {"metallb.io/ip-allocated-from-pool": "default"}), "MetalLB"),
        (put("spec.loadBalancerClass", "metallb.io/metallb"), "MetalLB"), (put("metadata.annotations", {"kube-vip.io/loadbalancerIPs": "203.0.113.7"}), "kube-vip"),
        (put("spec.loadBalancerClass", "io.cattle.klipper-lb"), "ServiceLB"),
    ])  # fmt: skip
    def test_in_cluster_balancers_are_confirmed(self, change: Any, words: str) -> None:
        world = single_node()
        world.edit("Service", "traefik", change)
        found = under(world, "load-balancer")
        assert found["Service kube-system/traefik"].status is MANUAL
        assert words in found["Service kube-system/traefik"].message
        assert ("Service kube-system/traefik#advertisement" in found) is (words == "MetalLB")

    def test_service_lb_by_the_nodes_own_address(self) -> None:
        world = single_node()
        address = world.find("Node", "only")["status"]["addresses"][0]["address"]
        world.edit("Service", "traefik", put("status.loadBalancer.ingress", [{"ip": address}]))
        assert "ServiceLB" in under(world, "load-balancer")["Service kube-system/traefik"].message

    @pytest.mark.parametrize(("changes", "subject", "words"), [
        ({"service": "NodePort"}, "Service ingress-nginx/ingress-nginx-controller", "a NodePort"),
        ({"service": None, "host_ports": (80, 443)}, "Deployment ingress-nginx/ingress-nginx-controller#balancer", "host ports 80, 443"),
        ({"service": None, "host_network": True}, "Deployment ingress-nginx/ingress-nginx-controller#balancer", "the host network"),
        ({"service": "ClusterIP"}, "Deployment ingress-nginx/ingress-nginx-controller#balancer", "inside the cluster alone"),
    ])  # fmt: skip
    def test_without_a_load_balancer_service(self, changes: dict[str, Any], subject: str, words: str) -> None:
        world = served_by(*builders.ingress_nginx(**changes))
        found = under(world, "load-balancer")[subject]
        assert (found.status, words in found.message) == (FAIL, True)
        assert under(world, "load-balancer", BEHIND)[subject].status is MANUAL
        world.edit("Ingress", "exivity", put("status.loadBalancer.ingress", [{"ip": "198.51.100.4"}]))
        assert under(world, "load-balancer")[subject].status is UNKNOWN
