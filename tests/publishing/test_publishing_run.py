"""The whole command with destinations: the report is never lost, the verdict never changed, the exit code says 2, and no secret shows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exivity_audit.cli.preparation import prepare
from exivity_audit.cli.publications import Publications
from exivity_audit.cli.publications import publications as real_publications
from exivity_audit.cli.run_command import command as run_command
from exivity_audit.errors import UsageError
from exivity_audit.handover.paper_files import config_paper
from exivity_audit.publishing.bucket import Bucket
from exivity_audit.publishing.pushgateway import Pushgateway
from exivity_audit.publishing.webhook import Webhook
from tests import builders
from tests.collect.fake_server import FakeServer, Reply, closed_port, silent_port
from tests.command import audit
from tests.test_whole_run import clean
from tests.world_server import serving

SAMPLE = Path(__file__).resolve().parents[2] / "exivity_audit" / "data" / "sample.json"
CANARY = "cAnArYhunter2"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in clean().items() if not key.startswith("AWS_") and not key.lower().endswith("_proxy")}
    return audit("run", *arguments, env={**env, **environment})


def taking(server: FakeServer, code: int = 200) -> None:
    server.next = lambda asked: (server.asked.append(asked), Reply(code))[1]  # type: ignore[method-assign]


def test_all_of_them_from_one_run(server: FakeServer, ca_file: Path, tmp_path: Path) -> None:
    taking(server)
    (tmp_path / "teams").write_text(f"{server.url}/{CANARY}\n")
    outputs = [tmp_path / name for name in ("r.json", "r.html", "r.prom", "r.jsonl")]
    found = command(
        "--snapshot", str(SAMPLE), "--push", server.url, "--webhook", "slack=env:HOOK", "--webhook", f"teams={tmp_path / 'teams'}", "--bucket", f"{server.url}/audits/ams",
        "--publish-ca", str(ca_file), *(word for path in outputs for word in ("-o", f"{ {'prom': 'prometheus'}.get(path.suffix[1:], path.suffix[1:]) }={path}")), "--stats",
        HOOK=f"{server.url}/services/{CANARY}", AWS_ACCESS_KEY_ID=CANARY, AWS_SECRET_ACCESS_KEY=CANARY, EXIVITY_AUDIT_PUSH_USER="ams", EXIVITY_AUDIT_PUSH_PASSWORD=CANARY,
    )  # fmt: skip
    assert found.returncode == 1, found.stderr
    assert [asked.method for asked in server.asked] == ["PUT", "PUT", "POST", "POST"]
    report = json.loads(outputs[0].read_text())
    assert report["run"]["exit_code"] == 1
    everything = found.stdout + found.stderr + "".join(path.read_text() for path in outputs) + "".join(asked.body.decode() for asked in server.asked)
    assert CANARY not in everything
    assert server.asked[0].body == outputs[2].read_bytes(), "what is pushed is what the textfile holds"


@pytest.mark.parametrize("extra", [(), ("--report-only",)])
def test_what_was_demanded_and_failed_is_2_after_everything_else(extra: tuple[str, ...], server: FakeServer, ca_file: Path, tmp_path: Path) -> None:
    taking(server)
    port = closed_port()
    with silent_port() as silent:
        began = time.monotonic()
        found = command(
            "--snapshot", str(SAMPLE), "--push", f"http://127.0.0.1:{silent}", "--bucket", f"https://127.0.0.1:{port}/audits", "--webhook", "json=env:HOOK",
            "--publish-ca", str(ca_file), "--publish-timeout", "1", "-o", f"json={tmp_path / 'r.json'}", "--history", str(tmp_path / "history"), *extra,
            HOOK=f"{server.url}/x", AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY=CANARY,
        )  # fmt: skip
        assert time.monotonic() - began < 30
    assert found.returncode == 2
    assert "NOT READY" in found.stdout
    assert found.stderr.count("not published to ") == 2
    assert found.stderr.count("  next: ") == 2
    assert CANARY not in found.stdout + found.stderr
    assert len(server.asked) == 1, "the last destination had its turn"
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["run"]["exit_code"] == (0 if extra else 1), "the verdict is what it was"
    assert len(list((tmp_path / "history").iterdir())) == 1


def test_a_report_that_cannot_be_written_is_published_all_the_same(server: FakeServer, ca_file: Path, tmp_path: Path) -> None:
    taking(server)
    found = command("--snapshot", str(SAMPLE), "--push", server.url, "--publish-ca", str(ca_file), "-o", "json=/dev/full")
    assert found.returncode == 2
    assert "cannot write /dev/full" in found.stderr
    assert len(server.asked) == 1


def test_nothing_is_imported_that_is_not_asked_for() -> None:
    code = (
        "import sys\nfrom exivity_audit.cli import main\n"
        "try:\n    main(['run', '--snapshot', sys.argv[1], '-q', '--report-only'])\nexcept SystemExit:\n    pass\n"
        "print(sorted(name for name in sys.modules if name.startswith(('exivity_audit.publishing', 'minio'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(SAMPLE)], capture_output=True, text=True, check=True, env=clean())
    assert done.stdout.strip() == "[]"


def test_a_live_run_publishes_by_its_config_and_names_its_cluster(server: FakeServer, ca_file: Path, tmp_path: Path) -> None:
    taking(server)
    (tmp_path / "hook").write_text(f"{server.url}/{CANARY}")
    config = tmp_path / "exivity-audit.yaml"
    config.write_text(
        f"cluster_name: ams\npublish:\n  pushgateway: {{url: '{server.url}', ca_file: ca.pem}}\n"
        f"  webhooks: [{{kind: json, url_file: hook, ca_file: ca.pem}}]\n  bucket: {{url: '{server.url}/audits', content: [json, snapshot], ca_file: ca.pem}}\n"
    )
    with serving(builders.single_node(), tmp_path) as (kubeconfig, cluster):
        keys = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": CANARY}
        found = command("--kubeconfig", str(kubeconfig), "--config", str(config), "--quiet", **keys)
        assert found.returncode == 3, found.stderr
        assert len(server.asked) == 4
        assert server.asked[0].path.startswith("/metrics/job/exivity-audit/cluster/ams/")
        assert json.loads(server.asked[3].body)["cluster"] == "ams"
        posts = [path for method, path in cluster.asked if method != "GET"]
        reviews = {"/apis/authentication.k8s.io/v1/selfsubjectreviews", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
        assert set(posts) == reviews, "the cluster is read and never written"
        silent = command("--kubeconfig", str(kubeconfig), "--config", str(config), "--quiet", "--no-publish", **keys)
        assert (silent.returncode, len(server.asked)) == (3, 4)
    assert command("--snapshot", str(SAMPLE), "--config", str(config), "--quiet", "--report-only", **keys).returncode == 0
    assert len(server.asked) == 4, "of a snapshot only flags publish"


def test_the_help_lists_the_destinations_under_a_heading_of_their_own() -> None:
    text = CliRunner().invoke(run_command, ["--help"]).output
    inside = text[text.index("Publishing (each is off until it is named):") : text.index("Rare:")]
    assert all(
        flag in inside
        for flag in ("--push", "--webhook", "--bucket", "--publish-policy-reports", "--publish-ca", "--publish-timeout", "--no-publish")
    )


# What is wrong is said before anything is read


def publications(given: dict[str, Any], path: Path | None, *snapshots: str) -> Publications | None:
    """What flags and a config come to."""
    return real_publications(given, prepare({"config_file": path}), snapshots)


def flags(**given: Any) -> dict[str, Any]:
    return {
        "push_url": None, "webhooks": (), "bucket_url": None, "policy_reports": False, "publish_ca": None, "publish_timeout": "20s", "no_publish": False, "language": "en", **given,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"push_url": f"https://u:{CANARY}@h:9091"}, "user name or password"),
        ({"push_url": f"https://h:9091/?token={CANARY}"}, "query"),
        ({"push_url": f"ftp://{CANARY}"}, "no URL like"),
        ({"push_url": f"{CANARY}"}, "no URL like"),
        ({"push_url": "https://h:x"}, "no URL like"),
        ({"push_url": "https://h/\n"}, None),
        ({"bucket_url": "http://minio.corp/audits"}, "not sent in the clear"),
        ({"bucket_url": f"https://minio.corp/a/../{CANARY}"}, "no prefix"),
        ({"webhooks": (f"https://hooks.slack.com/{CANARY}",)}, "no kind"),
        ({"webhooks": (f"slack=https://hooks.slack.com/{CANARY}",)}, "never the secret"),
        ({"webhooks": ("slak=env:X",)}, "did you mean 'slack'"),
        ({"webhooks": ("slack=",)}, "never the secret"),
        ({"webhooks": ("slack=env:a-b",)}, "no name of a variable"),
        ({"publish_timeout": "never", "push_url": "https://h"}, "--publish-timeout"),
        ({"bucket_url": "https://minio.corp"}, "names no bucket"),
        ({"bucket_url": "https://s3.eu-west-1.amazonaws.com/"}, "names no bucket"),
        ({"bucket_url": "https://audits.s3.eu-west-1.amazonaws.com/"}, None),
    ],
)
def test_wrong_flags(given: dict[str, Any], words: str | None) -> None:
    if words is None:
        assert publications(flags(**given), None) is not None
        return
    with pytest.raises(UsageError, match=words) as raised:
        publications(flags(**given), None)
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("publish: {pushgateway: {url: 'http://h:9091', token_file: t}}", "in the clear"),
        ("publish: {pushgateway: {url: 'http://h:9091', ca_file: t}}", "an authority is named"),
        ("publish: {pushgateway: {url: 'https://h:9091', token_file: t, user: u, password_file: p}}", "keep one"),
        ("publish: {pushgateway: {url: 'https://h:9091', user: u}}", "user name and a password"),
        ("publish: {pushgateway: {uri: 'https://h:9091'}}", "did you mean 'url'"),
        ("publish: {pushgatewy: {url: 'https://h:9091'}}", "did you mean 'pushgateway'"),
        ("publish: {webhooks: [{kind: slack}]}", "either url_file or url_env"),
        ("publish: {webhooks: [{kind: slack, url_file: a, url_env: b}]}", "either url_file or url_env"),
        (f"publish: {{webhooks: [{{kind: slack, url_file: 'https://h/{CANARY}'}}]}}", "never the secret"),
        ("publish: {webhooks: [{kind: mail, url_file: a}]}", "mail"),
        ("publish: {bucket: {url: 'https://h/b', content: [pdf]}}", "pdf"),
    ],
)
def test_a_wrong_config(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "exivity-audit.yaml"
    path.write_text(text + "\n")
    with pytest.raises(UsageError, match=words) as raised:
        publications(flags(), path)
    assert CANARY not in str(raised.value)


def test_the_config_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "exivity-audit.yaml"
    path.write_text(
        "publish:\n  pushgateway: {url: 'https://h:9091/push/', user: u, password_file: p}\n  bucket: {url: 'https://h/b', region: nl, credentials_file: keys, profile: q}\n"
        "  webhooks: [{kind: teams, url_env: HOOK, when: not-ready}, {kind: slack, url_file: /run/hook}]\n"
    )
    made = publications(flags(), path)
    assert made is not None
    push, bucket, teams, slack = made.destinations
    assert isinstance(push, Pushgateway)
    assert (push.url, push.user, push.password.file if push.password else None) == ("https://h:9091/push", "u", tmp_path / "p")
    assert isinstance(bucket, Bucket)
    assert (bucket.region, bucket.credentials_file, bucket.profile) == ("nl", tmp_path / "keys", "q")
    assert isinstance(teams, Webhook)
    assert isinstance(slack, Webhook)
    assert (teams.kind, teams.url.variable, teams.when, slack.url.file) == ("teams", "HOOK", "not-ready", Path("/run/hook"))
    assert made.writes == 0
    flagged = publications(flags(push_url="https://other:9091"), path)
    assert flagged is not None
    other = flagged.destinations[0]
    assert isinstance(other, Pushgateway)
    assert (other.url, other.password) == ("https://other:9091", None), "another server is not given the config's secrets"
    assert b"publish" not in config_paper(path).content, "a handover says nothing of where results go"
    assert publications(flags(), path, "saved.json") is None
    assert publications(flags(push_url="https://h", no_publish=True), path) is None


def test_each_site_that_is_read_has_a_policy_report_of_its_own(tmp_path: Path) -> None:
    access = {
        "kubeconfig": None,
        "impersonate": None,
        "impersonate_groups": (),
        "insecure": False,
        "request_timeout": "30s",
        "deadline": "2m",
        "secrets": "list",
        "kubelet_stats": False,
        "probe": None,
        "probe_limit": "60s",
        "probe_port_forward": False,
        "probe_default_logins": False,
    }
    asked = {**flags(policy_reports=True), **access, "site_specs": ("ams=one:active", "fra=two:passive"), "site_role": None, "context": None}
    made = publications(asked, None, f"saved={SAMPLE}")
    assert made is not None
    assert [one.name for one in made.destinations] == ["the cluster of ams as a policy report", "the cluster of fra as a policy report"]
    assert made.writes == 2
    path = tmp_path / "exivity-audit.yaml"
    path.write_text("cluster_name: ams\n")
    with pytest.raises(UsageError, match="each with a cluster of its own"):
        publications(asked, path)


def test_policy_reports_are_no_matter_of_a_snapshot() -> None:
    found = command("--snapshot", str(SAMPLE), "--publish-policy-reports")
    assert found.returncode == 2
    assert "--publish-policy-reports belongs to a live audit" in found.stderr


def test_the_textfile_is_replaced_whole_and_its_draft_is_no_prom_file(tmp_path: Path) -> None:
    """The node exporter reads *.prom of the folder at any moment."""
    from exivity_audit.snapshot import write_whole

    target = tmp_path / "exivity.prom"
    target.write_text("old\n")
    seen: list[set[str]] = []
    import os

    real = os.replace

    def replace(source: Any, destination: Any) -> None:
        seen.append({path.name for path in tmp_path.glob("*.prom")})
        assert target.read_text() == "old\n"
        real(source, destination)

    os.replace = replace
    try:
        write_whole(target, b"new\n")
    finally:
        os.replace = real
    assert seen == [{"exivity.prom"}]
    assert target.read_text() == "new\n"
    assert [path.name for path in tmp_path.iterdir()] == ["exivity.prom"]
