"""Snapshots, configs and evidence: read whole or refused with file, line and the nearest name."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exivity_audit.attestation import load_evidence
from exivity_audit.config import Config, load_config, thresholds_of
from exivity_audit.errors import UsageError
from exivity_audit.lifecycle import load_lifecycle
from exivity_audit.pack import own_pack
from exivity_audit.paths import covers, prune, steps
from exivity_audit.quantity import duration, print_duration, print_size, quantity, size, whole
from exivity_audit.snapshot import decode, encode, load, save
from exivity_audit.waiver import check_waivers
from tests import builders
from tests.judging import site_of, snapshot_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CHECKS = {check.id: check for check in own_pack().checks}


def config_error(tmp_path: Path, text: str) -> str:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_config(path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenari: auto\n", "c.yaml:1: unknown key 'scenari'; did you mean 'scenario'?"),
        ("purpose: production\ndeclare:\n  ha_controlplane: true\n", "c.yaml:3: unknown key 'ha_controlplane'; did you mean 'ha_control_plane'?"),
        ("sites:\n  - name: a\n    rol: active\n", "c.yaml:3: unknown key 'rol'; did you mean 'role'?"),
        ("sites:\n  - name: a\n    role: standby\n", "c.yaml:3: Invalid enum value 'standby'"),
        ("purpose: prod\n", "c.yaml:1: Invalid enum value 'prod'"),
        ("declare:\n  large: 3\n", "c.yaml:2: Expected `bool`, got `int`"),
        ("waivers:\n  - {check: a/b, reason: x, owner: y}\n", "c.yaml:2: Object missing required field `expires`"),
        ("a: [\n", "c.yaml:2: not valid YAML"),
        ("purpose: production\npurpose: production\n", "c.yaml:2: the key 'purpose' stands twice"),
        ("- a\n", "c.yaml:1: Expected `object`, got `array`"),
        ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
    ],
)
def test_config_errors_name_file_line_and_nearest(tmp_path: Path, text: str, said: str) -> None:
    assert said in config_error(tmp_path, text)


def test_alias_bombs_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "holds more than" in config_error(tmp_path, "\n".join(lines))


def test_the_contract_example_is_a_config(tmp_path: Path) -> None:
    path = tmp_path / "exivity-audit.yaml"
    path.write_text(
        "scenario: auto\npurpose: production\n"
        "sites: [{name: ams, context: 'arn:aws:eks:x', role: active, namespace: exivity, release: exivity}]\n"
        "declare: {ha_control_plane: true, large: false, restricted: false, registries: [registry.corp/exivity], rabbitmq: {managed: false, clustered: false},"
        " ingress: {tls: upstream, addresses: [203.0.113.7]}, topology_key: topology.kubernetes.io/zone, node_disk: 200Gi, rpo: 24h,"
        " failover: {workflow: argo/failover, steps: {drain: 1}}}\n"
        "thresholds: {pvc.extracted: 100Gi, certificate.days: 30}\nprovisioners: {my.csi.corp: {rwx: true, enforced: true, local: false}}\n"
        "lifecycle: ./lifecycle.yaml\npacks: [our_pack]\nprometheus: {url: 'https://p', token_file: t}\n"
        "waivers: [{check: rabbitmq/tls, subject: 'Release exivity/exivity', site: ams, reason: r, owner: o, expires: 2027-01-31, ticket: OPS-1, accepts: 5672}]\n"
    )
    found, where = load_config(path)
    assert where == path
    assert found.declare.ingress.tls == "upstream"
    assert found.lifecycle == str(tmp_path / "lifecycle.yaml")
    assert found.waivers[0].accepts == 5672


def test_thresholds_may_only_be_known_ones() -> None:
    known = own_pack().thresholds
    assert thresholds_of(Config(thresholds={"pvc.log": "8Gi"}), known, None)["pvc.log"] == "8Gi"
    with pytest.raises(UsageError, match=r"did you mean 'pvc\.log'"):
        thresholds_of(Config(thresholds={"pvc.logs": "8Gi"}), known, None)


def evidence(tmp_path: Path, **changes: object) -> Path:
    check = next(check.id for check in CHECKS.values() if check.attest)
    item = {"check": check, "statement": "done", "by": "J. Doe", "date": "2026-11-02", "valid_for": "180d", **changes}
    path = tmp_path / "evidence.yaml"
    path.write_text(json.dumps({"items": [{key: value for key, value in item.items() if value is not None}]}))
    return path


def test_evidence_is_read_with_its_artefact(tmp_path: Path) -> None:
    (tmp_path / "restore.log").write_text("restored")
    digest = hashlib.sha256(b"restored").hexdigest()
    found = load_evidence(evidence(tmp_path, artefact={"path": "restore.log", "sha256": digest}), CHECKS, NOW)
    assert found[0].expires == "2027-05-01"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"check": "application/duplicate-task"}, "no check has this id; did you mean"),
        ({"date": "2027-01-01"}, "lies in the future"),
        ({"date": "soon"}, "is no date"),
        ({"valid_for": None}, "needs one of valid_for and expires"),
        ({"expires": "2027-01-01"}, "needs one of valid_for and expires"),
        ({"artefact": {"path": "nowhere", "sha256": "0" * 64}}, "cannot read the artefact"),
        ({"artefact": {"path": "evidence.yaml", "sha256": "0" * 64}}, "has another SHA-256"),
        ({"check": "application/singletons"}, "takes no attestation"),
    ],
)
def test_bad_evidence_is_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_evidence(evidence(tmp_path, **changes), CHECKS, NOW)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("waiver", "said"),
    [
        ("check: application/singletons, reason: r, owner: o, expires: 2027-01-01", ""),
        (
            "check: application/singleton, reason: r, owner: o, expires: 2027-01-01",
            "c.yaml:2: waiver for application/singleton: no check has this id; did you mean",
        ),
        ("check: application/singletons, reason: r, owner: o, expires: soon", "c.yaml:2: waiver for application/singletons: 'soon' is no date"),
        ("check: application/singletons, reason: ' ', owner: o, expires: 2027-01-01", "c.yaml:2: waiver for application/singletons: reason is blank"),
    ],
)
def test_waivers_name_a_check_a_date_and_a_reason(tmp_path: Path, waiver: str, said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"waivers:\n  - {{{waiver}}}\n")
    if not said:
        check_waivers(path, CHECKS)
        return
    with pytest.raises(UsageError) as raised:
        check_waivers(path, CHECKS)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("thresholds", "said"),
    [
        ({"pvc.log": "lots"}, "not a quantity"),
        ({"pvc.log": "-5Gi"}, "not above zero"),
        ({"certificate.days": -1}, "not above zero"),
        ({"certificate.days": "many"}, "is no number"),
        ({"longhorn.rebuild": "x"}, "not a duration"),
        ({"node_disk.headroom": 0}, "not above zero"),
    ],
)
def test_threshold_values_are_of_their_kind(thresholds: dict[str, str | int | float], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        thresholds_of(Config(thresholds=thresholds), own_pack().thresholds, None)


def test_a_snapshot_survives_its_file(tmp_path: Path) -> None:
    snapshot = snapshot_of(site_of(builders.multi_node()))
    for name in ("s.json", "s.json.gz"):
        save(snapshot, tmp_path / name)
        assert encode(load(tmp_path / name)) == encode(snapshot)
    again = snapshot_of(site_of(builders.multi_node()))
    assert encode(again) == encode(snapshot), "the same cluster gives the same bytes"
    assert list(tmp_path.iterdir()) == sorted(tmp_path.iterdir()) or len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no snapshot"),
        (b"{}", "is no snapshot"),
        (b'{"format": "other", "version": 1}', "its format is 'other'"),
        (b'{"format": "exivity-audit/snapshot", "version": 2}', "snapshot version 2"),
        (b'{"format": "exivity-audit/snapshot", "version": 1}', "is no snapshot"),
        (
            b'{"format": "exivity-audit/snapshot", "version": 1, "tool": {"name": "x", "version": "1"}, "started": "", "finished": "", "sites": []}',
            "holds no site",
        ),
        (b"[" * 100000, "is no snapshot"),
        (b"\xff\xfe", "is no snapshot"),
        (b"\x1f\x8b garbage", "no whole gzip file"),
        (gzip.compress(b"{}", mtime=0)[:-3], "cut short"),
    ],
)
def test_bad_snapshots_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        load(path)
    assert said in str(raised.value)


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "s.json.gz"
    packer = zlib.compressobj(9, wbits=31)
    with path.open("wb") as file:
        for _ in range(600):
            file.write(packer.compress(bytes(2**20)))
        file.write(packer.flush())
    with pytest.raises(UsageError, match="unpacks to more than"):
        load(path)


def test_a_snapshot_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    snapshot = snapshot_of(site_of(builders.single_node()))
    with pytest.raises(UsageError, match="cannot write"):
        save(snapshot, tmp_path / "missing" / "s.json")
    assert list(tmp_path.iterdir()) == []


def test_decode_names_what_it_read() -> None:
    with pytest.raises(UsageError, match="the sample"):
        decode(b"{}", "the sample")


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1Gi", 2**30),
        ("100Gi", 100 * 2**30),
        ("1G", 10**9),
        ("1e3", 1000),
        ("500m", 1),
        ("0", 0),
        ("1.5Ki", 1536),
        ("1E", 10**18),
        (5, 5),
        ("-1", -1),
        ("1E3", 1000),
    ],
)
def test_sizes(text: str | int, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1gi", "1Ei0", "abc", "1e9999999", "9Ei9", "٣Gi" * 2, "16Ei", "--1"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="quantity"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("9223372036854775808", 2**63),
        ("9223372036854775809", None),
        ("9" * 5000, None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("", None),
        ("1.0", None),
    ],
)
def test_a_whole_number_is_plain_digits_of_64_bits(text: str, number: int | None) -> None:
    assert whole(text) == number


def test_durations_and_their_print() -> None:
    assert duration("1h30m") == 5400
    assert duration("180d") == 180 * 86400
    assert print_duration(9 * 86400 + 4 * 3600 + 59) == "9 d 4 h"
    assert print_duration(0) == "0 s"
    assert print_duration(-7200) == "-2 h"
    assert print_size(50 * 2**30) == "50Gi"
    assert print_size(1536) == "1.5Ki"
    with pytest.raises(ValueError, match="duration"):
        duration("soon")


def test_paths_prune_by_allow_list() -> None:
    assert steps("metadata.annotations[a.b/c].x[].y") == ("metadata", "annotations", "a.b/c", "x", "[]", "y")
    item = {
        "metadata": {"name": "x", "annotations": {"a.b/c": "kept", "secret": "gone"}},
        "spec": {"list": [{"y": 1, "z": 2}, "odd"], "tree": {"all": {"of": "it"}}},
        "status": "text",
    }
    keep = {"metadata.name": None, "metadata.annotations[a.b/c]": None, "spec.list[].y": None, "spec.tree": None, "status.phase": None}
    assert prune(item, keep) == {
        "metadata": {"name": "x", "annotations": {"a.b/c": "kept"}}, "spec": {"list": [{"y": 1}, {"malformed": "str"}], "tree": {"all": {"of": "it"}}}, "status": {"malformed": "str"},
    }  # fmt: skip
    assert prune("text", keep) == {"malformed": "str"}
    assert covers(("spec.tree", "spec.list[].y"), "spec.tree.all")
    assert covers(("spec.list[].y",), "spec.list")
    assert not covers(("spec.list[].y",), "spec.list[].z")


def test_the_bundled_lifecycle_is_dated() -> None:
    table = load_lifecycle(None)
    assert table.kubernetes["1.36"].year == 2027
    assert not table.stale(NOW)
    assert table.stale(datetime(2027, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 50_000, "? " * 50_000, "{a: " * 5_000], ids=["flow", "compact", "complex keys", "flow maps"])
def test_yaml_that_nests_without_end_is_refused(tmp_path: Path, text: str) -> None:
    """The C loader recurses for each level: without a limit of ours the process would be gone."""
    file = tmp_path / "exivity-audit.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match="nested over 100 deep"):
        load_config(file)
