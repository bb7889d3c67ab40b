"""Several sites in one run, over HTTP: what befalls one is kept from the others, and no byte depends on which was read first."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exivity_audit import cli
from exivity_audit.keyring import comparable, descriptions
from exivity_audit.pack import own_pack
from exivity_audit.snapshot import Outcome, SiteSnapshot, Snapshot, load
from tests import builders
from tests.products.two_sites import passive_world
from tests.world import World
from tests.world_server import kubeconfig, serving_sites

OTHER = base64.b64encode(b"an0ther-key-0f-ours-QzXw").decode()
FEW = "--checks", "application/services-present,secrets/app-key,cluster/worker-nodes"
Called = tuple[int, str, str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Called]:
    """The command in this process: its code, and what it said."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "EXIVITY_AUDIT_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def called(*arguments: object) -> Called:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main([str(one) for one in arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return called


def worlds() -> dict[str, World]:
    """An active site, and a passive one whose cluster has another UID."""
    passive = passive_world()
    passive.edit("Namespace", "kube-system", lambda item: item["metadata"].update(uid="uid-of-fra"))
    return {"ams": builders.multi_node(), "fra": passive}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    with serving_sites(worlds(), tmp_path) as served:
        yield served


SITES = "--site", "ams=ams:active", "--site", "fra=fra:passive"


def report(path: Path) -> Any:
    return json.loads(path.read_text())


def secrets(site: SiteSnapshot, read: str) -> list[dict[str, Any]]:
    return [body for record in site.reads if record.name == read for _, body in descriptions(record.objects)]


def test_both_sites_stand_in_one_report(pair: Any, call: Any, tmp_path: Path) -> None:
    code, out, err = call(
        "run", "--kubeconfig", pair[0], *SITES, "-o", "json=r.json", "--save", "s.json", "--stats", "--checks", "application,secrets"
    )
    found = report(tmp_path / "r.json")
    assert code in (0, 1, 3), err
    assert [(site["name"], site["role"], site["cluster"]["name"]) for site in found["sites"]] == [("ams", "active", "ams"), ("fra", "passive", "fra")]
    assert {result["site"] for result in found["results"]} == {"ams", "fra"}
    assert "ams  active · ams · exivity/exivity" in out
    assert "stats: ams: " in err
    assert "stats: fra: " in err
    total, parts = (sum(int(line.split(" requests")[0].split()[-1]) for line in err.splitlines() if sign(line)) for sign in (
        lambda line: "read in" in line, lambda line: line.startswith(("stats: ams", "stats: fra")),
    ))  # fmt: skip
    assert total == parts
    first, second = load(tmp_path / "s.json").sites
    assert comparable(first, second)
    assert [one["group"] for one in secrets(first, "app_key")] == [one["group"] for one in secrets(second, "app_key")]


def test_a_secret_that_differs_has_another_group(tmp_path: Path, call: Any) -> None:
    both = worlds()
    both["fra"].edit("Secret", "exivity-app-key", lambda item: item["data"].update(EXIVITY_APP_KEY=OTHER))
    with serving_sites(both, tmp_path) as (path, _):
        call("collect", "--kubeconfig", path, *SITES, "-o", "s.json")
    first, second = load(tmp_path / "s.json").sites
    assert secrets(first, "app_key")[0]["group"] != secrets(second, "app_key")[0]["group"]
    assert secrets(first, "jwt_secret")[0]["group"] == secrets(second, "jwt_secret")[0]["group"]
    text = (tmp_path / "s.json").read_text()
    assert "an0ther-key" not in text
    assert "parity" not in text


def test_bytes_do_not_depend_on_which_site_was_read_first(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from exivity_audit.collect import several

    opened = several.open_session
    texts = []
    for late in ("ams", "fra"):

        def slow(access: Any, *rest: Any, late: str = late) -> Any:
            if access.site == late:
                time.sleep(1.0)
            return opened(access, *rest)

        monkeypatch.setattr(several, "open_session", slow)
        with serving_sites(worlds(), tmp_path) as (path, _):
            call("collect", "--kubeconfig", path, *SITES, *FEW, "-o", "s.json")
        found = load(tmp_path / "s.json")
        texts.append(repr(found.sites))
    assert texts[0] == texts[1]


def lost(tmp_path: Path) -> Snapshot:
    """The snapshot; all that was asked of fra failed, for a reason that the first site has nothing to do with."""
    found = load(tmp_path / "s.json")
    ams, fra = found.sites
    assert not ams.unreached
    assert fra.unreached
    assert {record.outcome for record in fra.reads} == {Outcome.FAILED}
    assert {record.name for record in ams.reads} == {record.name for record in fra.reads}
    assert fra.cluster.uid is None
    assert fra.now == ams.now
    return found


def unknown_at(found: Any, site: str) -> list[str]:
    return [result["id"] for result in found["results"] if result["site"] == site and result["status"] == "unknown"]


@pytest.mark.parametrize("fault", ["no server", "wrong credentials", "no answer", "TLS", "plug-in fails", "plug-in hangs"])
def test_a_site_that_cannot_be_reached_is_unknown_and_the_other_is_judged(fault: str, tmp_path: Path, call: Any) -> None:
    with serving_sites(worlds(), tmp_path) as (path, servers):
        config = json.loads(path.read_text())
        silent = socket.create_server(("127.0.0.1", 0))
        if fault == "no server":
            servers["fra"].socket.close()
        elif fault == "wrong credentials":
            servers["fra"].token = "another"
        elif fault.startswith("plug-in"):
            script = tmp_path / "login"
            script.write_text(f"#!/bin/sh\necho token-of-fra >&2\n{'exit 1' if fault.endswith('fails') else 'exec sleep 60'}\n")
            script.chmod(0o700)
            login = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "interactiveMode": "Never"}
            config["clusters"][1]["cluster"]["server"] = f"https://127.0.0.1:{servers['fra'].server_port}"
            config["users"][1]["user"] = {"exec": login}
            path.write_text(json.dumps(config))
        else:
            scheme = "https" if fault == "TLS" else "http"
            port = servers["fra"].server_port if fault == "TLS" else silent.getsockname()[1]
            config["clusters"][1]["cluster"]["server"] = f"{scheme}://127.0.0.1:{port}"
            path.write_text(json.dumps(config))
        code, out, err = call(
            "run", "--kubeconfig", path, *SITES, *FEW, "--save", "s.json", "-o", "json=r.json", "-o", "html=r.html", "-o", "markdown=r.md", "--deadline", "6s",
        )  # fmt: skip
        silent.close()
    assert code == 3, err
    lost(tmp_path)
    found = report(tmp_path / "r.json")
    assert len({(result["id"], result["site"]) for result in found["results"]}) == 6
    assert sorted(unknown_at(found, "fra")) == ["application/services-present", "cluster/worker-nodes", "secrets/app-key"]
    assert unknown_at(found, "ams") == []
    assert [site["unreached"] is None for site in found["sites"]] == [True, False]
    assert "note: fra: not reached" in err
    for text in (out, (tmp_path / "r.html").read_text(), (tmp_path / "r.md").read_text()):
        assert "not reached" in text.lower()
    assert "token-of-fra" not in out + err + (tmp_path / "s.json").read_text() + (tmp_path / "r.json").read_text()


def test_a_site_that_dies_in_the_middle_leaves_a_whole_report_within_the_deadline(tmp_path: Path, call: Any) -> None:
    with serving_sites(worlds(), tmp_path) as (path, servers):
        servers["fra"].lives = 20
        began = time.monotonic()
        code, _, err = call(
            "run",
            "--kubeconfig",
            path,
            *SITES,
            "--checks",
            "application,secrets,storage,cluster",
            "--save",
            "s.json",
            "-o",
            "json=r.json",
            "--deadline",
            "60s",
        )
        took = time.monotonic() - began
    assert code in (1, 3), err
    assert took < 60 + 5, "the deadline and five seconds"
    found = report(tmp_path / "r.json")
    checks = [check for check in own_pack().checks if check.row in ("application", "secrets", "storage", "cluster")]
    assert len({(result["id"], result["site"]) for result in found["results"]}) == 2 * len(checks)
    assert len(unknown_at(found, "fra")) > 5
    assert unknown_at(found, "ams") == [] or set(unknown_at(found, "ams")) <= set(unknown_at(found, "fra"))
    ams, fra = load(tmp_path / "s.json").sites
    assert {record.name for record in ams.reads} == {record.name for record in fra.reads}


def test_no_site_reached_is_4(tmp_path: Path, call: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "k").write_text(json.dumps(kubeconfig({"ams": f"http://127.0.0.1:{port}", "fra": f"http://127.0.0.1:{port}"})))
    code, _, err = call("run", "--kubeconfig", "k", *SITES, *FEW)
    assert code == 4
    assert "None of the 2 sites could be reached: ams: " in err
    assert "fra: " in err


def test_no_release_at_one_site_ends_the_run(tmp_path: Path, call: Any) -> None:
    both = worlds()
    both["fra"].objects = [item for item in both["fra"].objects if item["metadata"].get("namespace") != "exivity"]
    with serving_sites(both, tmp_path) as (path, _):
        code, _, err = call("run", "--kubeconfig", path, *SITES, *FEW)
    assert code == 2
    assert "site fra: no Exivity release in the cluster" in err


def test_three_sites(tmp_path: Path, call: Any) -> None:
    three = worlds()
    third = passive_world()
    third.edit("Namespace", "kube-system", lambda item: item["metadata"].update(uid="uid-of-lon"))
    with serving_sites({**three, "lon": third}, tmp_path) as (path, _):
        code, out, err = call("run", "--kubeconfig", path, *SITES, "--site", "lon=lon:passive", *FEW, "-o", "json=r.json")
    assert code == 0, out + err
    assert [site["name"] for site in report(tmp_path / "r.json")["sites"]] == ["ams", "fra", "lon"]


def test_preflight_asks_every_site(pair: Any, call: Any) -> None:
    code, out, _ = call("preflight", "--kubeconfig", pair[0], *SITES, *FEW)
    assert code in (0, 3)
    assert "site ams: ams, release exivity/exivity" in out
    assert "site fra: fra, release exivity/exivity" in out


def test_a_context_that_is_not_there_is_refused_before_anything_is_asked(pair: Any, call: Any) -> None:
    code, _, err = call("run", "--kubeconfig", pair[0], "--site", "ams=ams", "--site", "fra=frb", *FEW)
    assert code == 2
    assert "'frb' is not in the kubeconfig" in err
    assert not pair[1]["ams"].asked


def test_config_with_a_live_and_a_saved_site(pair: Any, call: Any, tmp_path: Path) -> None:
    call("collect", "--kubeconfig", pair[0], "--context", "fra", *FEW, "-o", "fra.json")
    (tmp_path / "c.yaml").write_text("sites:\n  - {name: fra, snapshot: fra.json, role: passive}\n  - {name: ams, context: ams, role: active}\n")
    code, _, err = call("run", "--kubeconfig", pair[0], "--config", "c.yaml", *FEW, "-o", "json=r.json", "--save", "both.json")
    assert code == 0, err
    assert [(site["name"], site["role"]) for site in report(tmp_path / "r.json")["sites"]] == [("fra", "passive"), ("ams", "active")]
    assert not comparable(*load(tmp_path / "both.json").sites), "the secrets were never in one run"
    _, _, err = call("run", "--kubeconfig", pair[0], "--config", "c.yaml", "--site", "ams", *FEW, "-o", "json=r.json")
    assert [(site["name"], site["role"]) for site in report(tmp_path / "r.json")["sites"]] == [("ams", "active")], err


def test_several_releases_of_one_cluster_are_sites_of_the_config(pair: Any, call: Any, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "context: ams\nsites:\n  - {name: one, namespace: exivity, release: exivity}\n  - {name: two, namespace: exivity, release: exivity}\n"
    )
    code, _, err = call("run", "--kubeconfig", pair[0], "--config", "c.yaml", *FEW)
    assert code == 2
    assert "the sites one and two are one" in err


@pytest.mark.parametrize(
    ("keys", "same"),
    [(("a", "a"), True), (("a", "b"), False), ((None, None), False), (("a", None), False)],
    ids=["one key", "two keys", "none", "half"],
)
def test_snapshots_taken_apart_are_compared_by_one_parity_key(
    keys: tuple[str | None, str | None], same: bool, pair: Any, call: Any, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        assert call("parity-key", "-o", name)[0] == 0
    for context, key in zip(("ams", "fra"), keys, strict=True):
        flags = ("--parity-key", key) if key else ()
        code, _, err = call("collect", "--kubeconfig", pair[0], "--context", context, *FEW, *flags, "-o", f"{context}.json")
        assert code == 0, err
        text = (tmp_path / f"{context}.json").read_text()
        assert ('"parity"' in text) is bool(key)
        for value in ("a", "b"):
            assert (tmp_path / value).read_text().strip() not in text
    code, _, err = call(
        "run", "--snapshot", "ams=ams.json:active", "--snapshot", "fra=fra.json:passive", *FEW, "--save", "both.json", "-o", "json=r.json"
    )
    assert code == 0, err
    first, second = load(tmp_path / "both.json").sites
    assert comparable(first, second) is same
    groups = [one["group"] for site in (first, second) for one in secrets(site, "app_key")]
    assert (len(set(groups)) == 1) is same
    assert "parity" not in (tmp_path / "r.json").read_text()


REFUSED = [
    (("--site", "ams=x", "--context", "y"), "--context y belongs to a run of one site"),
    (("--site", "ams=x", "--site-role", "passive"), "--site-role passive belongs to a run of one site"),
    (("--site", "ams"), "--site ams names no context"),
    (("--site", "=x"), "has no name that a site may have"),
    (("--site", "a/b=x"), "has no name that a site may have"),
    (("--site", "ams=x", "--site", "ams=y"), "--site twice names a site 'ams'"),
    (("--site", "ams=x", "--site", "fra=x"), "the sites ams and fra are one"),
    (("--snapshot", "a.json", "--snapshot", "b.json"), "a.json and b.json both hold a site 'default'"),
    (("--snapshot", "a.json", "--snapshot", "fra=b.json", "--site-role", "active"), "there are several sites, each with its own role"),
    (("--snapshot", "pair.json:active"), "pair.json holds the sites ams, fra: which of them is active?"),
    (("--snapshot", "lon=pair.json"), "none is named lon"),
    (("--snapshot", "a.json", "--parity-key", "k"), "--parity-key belongs to a live audit"),
]


@pytest.mark.parametrize(("flags", "said"), REFUSED, ids=[" ".join(flags) for flags, _ in REFUSED])
def test_flags_that_make_no_sense_are_refused_with_a_sentence(flags: tuple[str, ...], said: str, call: Any, tmp_path: Path) -> None:
    from exivity_audit.snapshot import save
    from tests.judging import run_of, site_of, snapshot_of

    wanted = ("deployments",)
    for name in ("a", "b"):
        save(snapshot_of(site_of(builders.multi_node(), wanted=wanted)), tmp_path / f"{name}.json")
    save(run_of((builders.multi_node(), "ams", None), (builders.multi_node(), "fra", None), wanted=wanted), tmp_path / "pair.json")
    (tmp_path / "kube").write_text(json.dumps(kubeconfig({"x": "http://127.0.0.1:9", "y": "http://127.0.0.1:9"})))
    code, _, err = call("run", *(() if "--snapshot" in flags else ("--kubeconfig", "kube")), *flags)
    assert code == 2
    assert said in err
    assert "  next: " in err


CONFIGS = [
    ("sites:\n  - {name: ams, context: x}\n  - {name: ams, context: y}\n", "c.yaml:3: two sites are named 'ams'"),
    ("sites:\n  - {name: ams, context: x}\n  - {name: fra}\n", "c.yaml:3: site fra names neither a context nor a snapshot"),
    ("sites:\n  - name: ams\n    context: x\n    snapshot: s.json\n", "c.yaml:4: site ams has a context and a snapshot"),
    ("sites:\n  - {name: 'a b', context: x}\n", "c.yaml:2: 'a b' is no name that a site may have"),
    ("sites:\n  - {name: ams, contxt: x}\n", "c.yaml:2: unknown key 'contxt'; did you mean 'context'?"),
    ("sites:\n  - name: ams\n    snapshot: s.json\n    release: x\n", "c.yaml:4: site ams is a snapshot, which has its release already"),
]


@pytest.mark.parametrize(("text", "said"), CONFIGS, ids=range(len(CONFIGS)))
def test_a_config_that_is_wrong_is_told_with_file_and_line(text: str, said: str, call: Any, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    code, _, err = call("run", "--config", "c.yaml")
    assert code == 2
    assert said in err


def test_contexts_with_colons_and_equals_signs_are_names_like_others() -> None:
    from exivity_audit.cli.site_plan import split_role

    assert split_role("arn:aws:eks:eu-west-1:1:cluster/a") == ("arn:aws:eks:eu-west-1:1:cluster/a", None)
    assert split_role("arn:aws:eks:eu-west-1:1:cluster/a:passive") == ("arn:aws:eks:eu-west-1:1:cluster/a", "passive")


FORMATS = ("json", "html", "markdown", "csv", "junit", "sarif", "prometheus", "policyreport", "github", "actions", "fixes")


def test_no_output_of_several_sites_holds_a_canary_or_a_hash_of_one(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sites full of canaries and one that is not let in, with a parity key and without; and the hashes that a dictionary would be tried on."""
    from tests import test_canaries as canaries

    def planted() -> World:
        world = builders.multi_node()
        for plant in (canaries.product, canaries.helm, canaries.around, canaries.database, canaries.everywhere):
            plant(world)
        return world

    both = {"ams": planted(), "fra": planted(), "lon": builders.multi_node()}
    call("parity-key", "-o", "k")
    key = (tmp_path / "k").read_text().strip()
    with serving_sites(both, tmp_path) as (path, servers):
        servers["lon"].token = "another"
        sites = (*SITES, "--site", "lon=lon:passive", "-n", "exivity")
        outputs = [part for name in FORMATS for part in ("-o", f"{name}=out.{name}")]
        _, out, err = call("run", "--kubeconfig", path, *sites, "--save", "with.json", "--parity-key", "k", "-v", "--stats", *outputs)
        call("collect", "--kubeconfig", path, *sites, "-o", "without.json")
    texts = {one.name: one.read_text() for one in tmp_path.iterdir() if one.is_file() and one.name not in ("k", "kubeconfig")} | {
        "out": out,
        "err": err,
    }
    assert {f"out.{name}" for name in FORMATS if name != "fixes"} | {"with.json", "without.json"} <= set(texts), err
    values = [*canaries.PLANTED.values(), "token-of-lon", "token-of-ams", key]
    traces = {trace for value in values for trace in canaries.traces(value)}
    for value in values:
        raw = value.encode()
        traces |= {hashlib.new(name, raw).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")}
        traces |= {hmac.new(b"", raw, "sha256").hexdigest(), hmac.new(b"exivity-audit parity key", raw, "sha256").hexdigest()}
    found = sorted(
        f"{trace[:12]} in {name}" for name, text in texts.items() for lowered in [text.lower()] for trace in traces if trace.lower() in lowered
    )
    assert found == []
    assert '"parity"' in texts["with.json"]
    assert not any('"parity"' in text for name, text in texts.items() if name != "with.json")
