"""The row ingress where cert-manager keeps the certificate: by what stands in the Secret, and by what cert-manager says of it."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.verdict import Status, Verdict
from tests.builders import HOST, certificate, encode, made, multi_node, stamp
from tests.judging import verdicts
from tests.mutation import drop, put
from tests.world import World

FAIL, WARN, PASS, UNKNOWN, SKIP = Status.FAIL, Status.WARN, Status.PASS, Status.UNKNOWN, Status.SKIP
SECRET, CERTIFICATE = "Secret exivity/exivity-tls", "Certificate exivity/exivity-tls"
NAME = "metadata.annotations.cert-manager\\.io/certificate-name"


def ends_in(days: int, *, renews: float, world: World | None = None) -> World:
    """A certificate with some days left that is renewed in some days; below zero: it was due."""
    world = world or multi_node()
    chain, key = certificate(HOST, days=days)
    world.edit("Secret", "exivity-tls", put("data", {"tls.crt": encode(chain), "tls.key": encode(key)}))
    world.edit("Certificate", "exivity-tls", put("status.notAfter", stamp(-days)))
    world.edit("Certificate", "exivity-tls", put("status.renewalTime", stamp(-renews)))
    return world


def denied(world: World, *resources: str) -> World:
    """The world with some reads forbidden; of Secrets the TLS Secret alone."""
    world.deny = lambda resource, namespace, name: resource in resources and (resource != "secrets" or name == "exivity-tls")
    return world


def found(world: World) -> dict[str, Verdict]:
    return verdicts(world, "ingress/certificate")


def only(world: World) -> Verdict:
    (one,) = found(world).values()
    return one


class TestSecretAndCertificate:
    def test_a_renewal_ahead_is_no_warning(self) -> None:
        one = only(ends_in(12, renews=2))
        assert (str(one.subject), one.status) == (SECRET, PASS)
        assert "Certificate exivity/exivity-tls renews it on 25 Nov 2026" in one.message

    def test_no_renewal_ahead_is_one(self) -> None:
        world = ends_in(12, renews=2)
        world.edit("Certificate", "exivity-tls", drop("status.renewalTime"))
        assert only(world).status is WARN

    def test_a_renewal_of_another_certificate_vouches_for_nothing(self) -> None:
        world = multi_node()
        chain, key = certificate(HOST, days=12)
        world.edit("Secret", "exivity-tls", put("data", {"tls.crt": encode(chain), "tls.key": encode(key)}))
        assert only(world).status is WARN

    def test_an_issuer_that_is_not_ready_renews_nothing(self) -> None:
        world = ends_in(12, renews=2)
        world.edit("ClusterIssuer", "acme-pki", put("status.conditions.0.status", "False"))
        assert (only(world).status, "ClusterIssuer acme-pki is not ready" in only(world).message) == (WARN, True)
        one = only(denied(world, "clusterissuers.cert-manager.io"))
        assert (one.status, one.needs) == (UNKNOWN, ("get clusterissuers.cert-manager.io acme-pki",))

    def test_an_issuer_of_another_group_is_not_asked_for(self) -> None:
        world = ends_in(12, renews=2)
        world.edit(
            "Certificate", "exivity-tls", put("spec.issuerRef", {"name": "pca", "kind": "AWSPCAClusterIssuer", "group": "awspca.cert-manager.io"})
        )
        assert only(world).status is PASS
        assert not [path for _, path in world.requests if path.endswith("/pca")]

    @pytest.mark.parametrize(("days", "due", "wanted"), [(60, -10, WARN), (7, -10, FAIL), (8, -10, WARN), (60, -0.02, PASS)])
    def test_late(self, days: int, due: float, wanted: Status) -> None:
        one = only(ends_in(days, renews=due))
        assert one.status is wanted
        assert ("was due on" in one.message) is (wanted is not PASS)

    def test_late_says_how_often_it_failed(self) -> None:
        world = ends_in(60, renews=-10)
        world.edit("Certificate", "exivity-tls", put("status.failedIssuanceAttempts", 4))
        assert "was due on 13 Nov 2026, 4 attempts failed" in only(world).message

    def test_not_ready_fails_though_the_chain_holds(self) -> None:
        world = multi_node()
        world.edit("Certificate", "exivity-tls", put("status.conditions", [{"type": "Ready", "status": "False", "reason": "IncorrectIssuer"}]))
        one = only(world)
        assert (one.status, "is not ready: IncorrectIssuer" in one.message) == (FAIL, True)
        assert any(evidence.object == CERTIFICATE for evidence in one.evidence)

    def test_an_expired_chain_fails_whatever_cert_manager_says(self) -> None:
        assert "expired on" in only(ends_in(-3, renews=20)).message

    def test_a_managed_secret_without_its_certificate_read(self) -> None:
        world = denied(multi_node(), "certificates.cert-manager.io")
        assert only(world).status is PASS, "nothing says that cert-manager wrote it"
        world.edit("Secret", "exivity-tls", put(NAME, "exivity-tls"))
        assert (only(world).status, only(world).needs) == (UNKNOWN, ("list certificates.cert-manager.io in exivity",))

    def test_a_certificate_that_is_gone_keeps_nothing(self) -> None:
        world = ends_in(12, renews=2)
        world.remove("Certificate", "exivity-tls")
        assert only(world).status is WARN

    @pytest.mark.parametrize("change", [put("status.notAfter", 5), put("spec.dnsNames", "x"), put("status.conditions", {})])
    def test_a_malformed_certificate(self, change: Any) -> None:
        world = ends_in(12, renews=2)
        world.edit("Certificate", "exivity-tls", change)
        assert found(world)[SECRET].status is UNKNOWN

    def test_no_status_yet(self) -> None:
        world = multi_node()
        world.edit("Certificate", "exivity-tls", drop("status"))
        assert only(world).status is PASS, "the Secret holds one that stands for itself"


class TestCertificateAlone:
    """The Secret may not be read: cert-manager's word decides."""

    def test_ready(self) -> None:
        one = only(denied(multi_node(), "secrets"))
        assert (str(one.subject), one.status) == (CERTIFICATE, PASS)
        assert "its chain was not looked at" in one.remark

    @pytest.mark.parametrize(("change", "wanted", "words"), [
        (put("spec.dnsNames", ["other.acme.eu"]), FAIL, "for other.acme.eu"), (put("status.notAfter", stamp(2)), FAIL, "expired on 21 Nov 2026"),
        (put("status.conditions.0.status", "False"), FAIL, "is not ready"), (put("status.conditions", []), UNKNOWN, "does not say whether it is ready"),
        (drop("status.notAfter"), UNKNOWN, "does not say until when"), (put("status.renewalTime", stamp(3)), WARN, "was due on 20 Nov 2026"),
        (put("spec.dnsNames", ["*.acme.eu"]), PASS, "Ready"),
    ])  # fmt: skip
    def test_what_it_says(self, change: Any, wanted: Status, words: str) -> None:
        world = denied(multi_node(), "secrets")
        world.edit("Certificate", "exivity-tls", change)
        assert (only(world).status, words in only(world).message) == (wanted, True)

    def test_the_common_name_counts(self) -> None:
        world = denied(multi_node(), "secrets")
        world.edit("Certificate", "exivity-tls", put("spec.dnsNames", []))
        world.edit("Certificate", "exivity-tls", put("spec.commonName", HOST))
        assert only(world).status is PASS

    def test_none_keeps_it(self) -> None:
        world = denied(multi_node(), "secrets")
        world.edit("Certificate", "exivity-tls", put("spec.secretName", "other"))
        assert (only(world).status, only(world).needs) == (UNKNOWN, ("get secrets exivity-tls in exivity",))

    def test_neither_may_be_read(self) -> None:
        assert only(denied(multi_node(), "secrets", "certificates.cert-manager.io")).status is UNKNOWN

    def test_tls_itself_is_not_decided_by_it(self) -> None:
        (one,) = verdicts(denied(multi_node(), "secrets"), "ingress/tls").values()
        assert one.status is UNKNOWN


def test_a_default_certificate_in_another_namespace() -> None:
    world = multi_node()
    world.edit("Ingress", "exivity", drop("spec.tls"))
    world.add(made("traefik.io/v1alpha1", "TLSStore", "default", "traefik", spec={"defaultCertificate": {"secretName": "wildcard"}}))
    moved = world.find("Certificate", "exivity-tls")
    moved["metadata"].update(name="wildcard", namespace="traefik")
    moved["spec"]["secretName"] = "wildcard"
    one = only(world)
    assert (str(one.subject), one.status) == ("Certificate traefik/wildcard", PASS)
