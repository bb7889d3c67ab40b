"""What each destination is sent: whole, escaped, bounded, authorised as asked; and nothing secret beside it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from minio.credentials.credentials import Credentials
from minio.signer import sign_v4_s3
from prometheus_client.parser import text_string_to_metric_families

from exivity_audit.collect.deadline import Deadline
from exivity_audit.past_report import NAME
from exivity_audit.publishing.bucket import Bucket
from exivity_audit.publishing.destination import Finished, Trouble
from exivity_audit.publishing.pushgateway import Pushgateway, group
from exivity_audit.publishing.secret import Secret
from exivity_audit.publishing.webhook import JSON_TEXT, MESSAGES, SLACK_TEXT, TEAMS_TEXT, Kind, Webhook, fitting
from exivity_audit.reports.json_lines import LARGEST, render_json_lines
from exivity_audit.reports.json_report import json_report
from exivity_audit.reports.prometheus import render_prometheus
from exivity_audit.score import scorecard
from exivity_audit.verdict import Status
from tests.collect.fake_server import Asked, FakeServer, Reply
from tests.reports import sample_scorecard as sample
from tests.reports.test_hostile_text import HOSTILE, RAW, hostile_judgement
from tests.reports.test_terminal import CARDS

CANARY = "cAnArYhunter2"


def hostile(text: str) -> Finished:
    moment = "2026-11-23T14:02:11Z"
    return Finished(scorecard(hostile_judgement(text)), sample.run_info(tool_version=text, started=moment, finished=moment, flags=(text,)))


# Pushgateway


def test_metrics_replace_those_of_the_same_release(server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path) -> None:
    path = "/prefix/metrics/job/exivity-audit/cluster/prod-ams/namespace/exivity/release/exivity"
    server.route(path, Reply(200))
    Pushgateway(f"{server.url}/prefix", ca_file=ca_file).publish(finished, Deadline(5))
    [asked] = server.asked
    assert (asked.method, asked.path) == ("PUT", path)
    assert asked.body == render_prometheus(finished.report)
    assert asked.header("Content-Type") == ["text/plain; version=0.0.4; charset=utf-8"]
    assert asked.header("Authorization") == []


def test_credentials_of_a_pushgateway(server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.next = lambda asked: (server.asked.append(asked), Reply(202))[1]  # type: ignore[method-assign]
    (tmp_path / "secret").write_text("word\n")
    monkeypatch.setenv("TOKEN", "t0ken")
    Pushgateway(server.url, user="ams", password=Secret(file=tmp_path / "secret"), ca_file=ca_file).publish(finished, Deadline(5))
    Pushgateway(server.url, token=Secret(variable="TOKEN"), ca_file=ca_file).publish(finished, Deadline(5))
    assert [asked.header("Authorization") for asked in server.asked] == [["Basic " + base64.b64encode(b"ams:word").decode()], ["Bearer t0ken"]]


def test_plain_http_goes_through_the_proxy_of_the_environment(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = FakeServer(None)
    proxy.next = lambda asked: (proxy.asked.append(asked), Reply(200))[1]  # type: ignore[method-assign]
    with proxy.running(tmp_path):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        Pushgateway("http://pushgateway.corp:9091").publish(finished, Deadline(5))
        assert proxy.asked[0].header("Host") == ["pushgateway.corp:9091"]
        monkeypatch.setenv("NO_PROXY", ".corp")
        with pytest.raises(Trouble, match=r"name cannot be resolved|came about"):
            Pushgateway("http://pushgateway.corp:9091").publish(finished, Deadline(2))
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("value", ["plain", "", "a/b", "ümlaut", "a b", "a%2Fb", "..", "?x#y", "arn:aws:eks:eu-west-1:1:cluster/ams"])
def test_a_grouping_key_keeps_any_value(value: str) -> None:
    path = group({"job": "exivity-audit", "cluster": value, "release": "x"})
    parts = path.split("/")
    assert parts[:4] == ["", "metrics", "job", "exivity-audit"]
    assert parts[6:] == ["release", "x"]
    name, _, encoded = parts[4].partition("@")
    found = base64.urlsafe_b64decode("" if parts[5] == "=" else parts[5]).decode() if encoded else unquote(parts[5])
    assert (name, found) == ("cluster", value)


# Webhooks


def sent(kind: Kind, finished: Finished, server: FakeServer, ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.asked.clear()
    server.next = lambda asked: (server.asked.append(asked), Reply(200, b"ok"))[1]  # type: ignore[method-assign]
    monkeypatch.setenv("HOOK", f"{server.url}/services/{CANARY}?sig={CANARY}")
    Webhook(kind, Secret(variable="HOOK"), ca_file=ca_file).publish(finished, Deadline(5))
    [asked] = server.asked
    assert (asked.method, asked.path, asked.query) == ("POST", f"/services/{CANARY}", {"sig": CANARY})
    assert asked.header("Content-Type") == ["application/json"]
    assert CANARY.encode() not in asked.body
    return json.loads(asked.body)


def test_slack(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    message = sent("slack", finished, server, ca_file, monkeypatch)
    assert message["text"].startswith("```\nNOT READY")
    assert message["text"].endswith("\n```")
    assert message["unfurl_links"] is False


def test_teams(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    message = sent("teams", finished, server, ca_file, monkeypatch)
    [attachment] = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert runs[0]["text"].startswith("NOT READY")
    assert all(run["type"] == "TextRun" for run in runs), "a text block would read Markdown"


def test_generic_json(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    message = sent("json", finished, server, ca_file, monkeypatch)
    assert (message["type"], message["gate"], message["score"]) == ("summary", "NOT READY", finished.report.summary.score)
    assert message["text"].splitlines()[0].startswith("NOT READY")


@pytest.mark.parametrize(
    "text",
    [*HOSTILE, "<!channel>", "<@U123>", "<https://evil|x>", "&lt;", "```", "`x`", "[x](http://evil)", "@everyone", "**b**", "a" * 4000],
    ids=lambda text: ascii(text)[:20],
)
def test_hostile_text_takes_no_effect_in_a_message(text: str) -> None:
    run = hostile(text)
    from exivity_audit.reports.short import render_short

    lines = render_short(run.card, run.run).splitlines()
    for kind, make in MESSAGES.items():
        body = json.dumps(make(lines, run))
        assert len(body) < {"slack": 24_000, "teams": 28_000, "json": 65_000}[kind]
        assert not RAW.search(body)
    slack = MESSAGES["slack"](lines, run)["text"]
    inside = slack.removeprefix("```\n").removesuffix("\n```")
    assert "`" not in inside, "the fence stays closed"
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", inside)


def test_messages_stay_within_what_each_product_takes(finished: Finished) -> None:
    lines = [f"{number} {'&' * 90}" for number in range(2000)]
    assert len(MESSAGES["slack"](lines, finished)["text"]) <= SLACK_TEXT + 10
    assert len(json.dumps(MESSAGES["teams"](lines, finished))) <= 28_000
    assert len(MESSAGES["json"](lines, finished)["text"]) <= JSON_TEXT
    assert len(json.dumps(MESSAGES["teams"](["é" * 100] * 400, finished))) <= 28_000 > TEAMS_TEXT
    kept = fitting(lines, 1000, len)
    assert kept[-1] == f"… {2000 - len(kept) + 1} more lines", "how much is left out is said"


def test_a_webhook_for_bad_news_alone(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    server.next = lambda asked: (server.asked.append(asked), Reply(200, b"ok"))[1]  # type: ignore[method-assign]
    monkeypatch.setenv("HOOK", server.url)
    hook = Webhook("json", Secret(variable="HOOK"), "not-ready", ca_file)
    hook.publish(Finished(sample.ready(), sample.run_info()), Deadline(5))
    assert not server.asked
    for card in (sample.not_ready(), sample.blind(), sample.evaluation()):
        hook.publish(Finished(card, sample.run_info()), Deadline(5))
    assert len(server.asked) == 3, "unverified and without a gate are no good news"


@pytest.mark.parametrize(
    "url", [f"http://hooks.corp/{CANARY}", f"ftp://h/{CANARY}", CANARY, f"https://u:{CANARY}@h/x", f"https://h:99999/{CANARY}", f"https:///{CANARY}"]
)
def test_a_webhook_url_that_is_none_is_not_shown(url: str, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", url)
    with pytest.raises(Trouble) as raised:
        Webhook("slack", Secret(variable="HOOK")).publish(finished, Deadline(5))
    assert CANARY not in str(raised.value)


# Bucket


def verified(asked: Asked, netloc: str, secret: str, region: str = "us-east-1") -> str:
    """The access key of a request whose SigV4 signature the package's own signer gives too; the body's hash is checked as well."""
    [given] = asked.header("Authorization")
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})", given
    )
    assert match is not None, given
    key, day, where, names, _ = match.groups()
    assert where == region
    headers = {name: asked.header(name)[0] for name in names.split(";")}
    assert {"host", "x-amz-content-sha256", "x-amz-date", "content-type"} <= set(headers)
    assert headers["x-amz-content-sha256"] == hashlib.sha256(asked.body).hexdigest()
    date = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert date.strftime("%Y%m%d") == day
    assert abs(datetime.now(UTC) - date) < timedelta(minutes=5)
    again = sign_v4_s3(
        method=asked.method, url=urlsplit(f"https://{netloc}{asked.path}"), region=region, headers=dict(headers),
        credentials=Credentials(key, secret), content_sha256=headers["x-amz-content-sha256"], date=date,
    )  # fmt: skip
    assert again["Authorization"] == given
    return key


def taking(server: FakeServer, secret: str, region: str = "us-east-1") -> list[str]:
    """Lets the server check signatures as a bucket does: 403 for a wrong one."""
    keys: list[str] = []

    def next_(asked: Asked) -> Reply:
        server.asked.append(asked)
        try:
            keys.append(verified(asked, f"127.0.0.1:{server.port}", secret, region))
        except AssertionError:
            return Reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>", content_type="application/xml")
        return Reply(200, b"", (("ETag", '"x"'),))

    server.next = next_  # type: ignore[method-assign]
    return keys


def test_objects_are_put_with_a_good_signature(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "sess10n")
    keys = taking(server, "s3cret")
    Bucket(f"{server.url}/audits/ams", content=("json", "html", "snapshot"), ca_file=ca_file).publish(finished, Deadline(10))
    assert keys == ["AKID"] * 3
    assert {asked.method for asked in server.asked} == {"PUT"}, "one right is enough: to put"
    assert all(asked.header("x-amz-security-token") == ["sess10n"] for asked in server.asked)
    by_name = {asked.path.removeprefix("/audits/ams/"): asked.body for asked in server.asked}
    report = next(name for name in by_name if NAME.fullmatch(name))
    assert by_name[report] == json_report(finished.card, finished.run)
    stem = report.removesuffix(".json")
    assert by_name[f"{stem}.html"].startswith(b"<!doctype html>")
    assert json.loads(gzip.decompress(by_name[f"{stem}.snapshot.json.gz"]))["format"] == "exivity-audit/snapshot"


def test_a_wrong_key_is_refused(server: FakeServer, ca_file: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", CANARY)
    taking(server, "s3cret")
    with pytest.raises(Trouble, match="s3:PutObject") as raised:
        Bucket(f"{server.url}/audits", ca_file=ca_file).publish(finished, Deadline(5))
    assert CANARY not in str(raised.value)


def test_keys_of_a_file(server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = A\naws_secret_access_key = one\n[audits]\naws_access_key_id = B\naws_secret_access_key = two\n")
    keys = taking(server, "two", "eu-west-1")
    Bucket(f"{server.url}/audits", "eu-west-1", credentials_file=file, profile="audits", ca_file=ca_file).publish(finished, Deadline(5))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_PROFILE", "audits")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    Bucket(f"{server.url}/audits", ca_file=ca_file).publish(finished, Deadline(5))
    assert keys == ["B", "B"]


def test_keys_of_the_pods_role(server: FakeServer, ca_file: Path, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials agent that EKS and ECS put beside a pod."""
    (tmp_path / "agent").mkdir()
    agent = FakeServer(None)
    expiry = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    agent.route(
        "/v1/credentials", Reply(200, json.dumps({"AccessKeyId": "ROLE", "SecretAccessKey": "s", "Token": "t", "Expiration": expiry}).encode())
    )
    (tmp_path / "token").write_text("pod-token")
    keys = taking(server, "s")
    with agent.running(tmp_path / "agent"):
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        Bucket(f"{server.url}/audits", ca_file=ca_file).publish(finished, Deadline(5))
    assert keys == ["ROLE"]
    assert agent.asked[0].header("Authorization") == ["pod-token"]


def test_no_keys_or_broken_ones(finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = Bucket("https://127.0.0.1:1/audits")
    with pytest.raises(Trouble, match="no credentials"):
        bucket.publish(finished, Deadline(5))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "only half")
    with pytest.raises(Trouble, match=r"cannot be used|half"):
        bucket.publish(finished, Deadline(5))
    file = tmp_path / "credentials"
    file.write_text(f"{CANARY} is no ini file")
    with pytest.raises(Trouble, match="cannot be used") as raised:
        Bucket("https://127.0.0.1:1/audits", credentials_file=file).publish(finished, Deadline(5))
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    ("host", "region"),
    [("s3.eu-west-1.amazonaws.com", "eu-west-1"), ("audits.s3.eu-central-1.amazonaws.com", "eu-central-1"), ("s3.dualstack.us-gov-west-1.amazonaws.com", "us-gov-west-1"), ("s3.cn-north-1.amazonaws.com.cn", "cn-north-1"), ("s3.amazonaws.com", "us-east-1"),
     ("minio.corp", "us-east-1")],
)  # fmt: skip
def test_the_region_follows_from_the_address(host: str, region: str) -> None:
    assert Bucket("https://x/y")._region(host) == region
    assert Bucket("https://x/y", "nl-ams")._region(host) == "nl-ams"


# JSON lines


@pytest.mark.parametrize("name", CARDS)
def test_json_lines(name: str) -> None:
    run = Finished(CARDS[name](), sample.run_info())
    lines = [json.loads(line) for line in render_json_lines(run.report).decode().splitlines()]
    summary, findings = lines[0], lines[1:]
    assert (summary["type"], summary["gate"], summary["score"]) == ("summary", run.report.summary.gate, run.report.summary.score)
    assert summary["checks"]["pass"] == run.report.summary.counts.pass_
    quiet = (Status.PASS, Status.SKIP)
    assert sorted(one["fingerprint"] for one in findings) == sorted(one.fingerprint for one in run.report.results if one.status not in quiet)
    assert all({"time", "level", "cluster", "namespace", "release", "check", "status", "severity", "message"} <= set(one) for one in findings)
    assert all(one["level"] in ("error", "warning", "info") for one in lines)


@pytest.mark.parametrize("text", [*HOSTILE, "a" * 9000, "\U0001f525" * 3000, "\u2028", "\ud800"], ids=lambda text: ascii(text)[:20])
def test_a_line_stays_one_line_that_no_log_driver_splits(text: str) -> None:
    content = render_json_lines(hostile(text).report)
    assert not RAW.search(content.decode("ascii"))
    for line in content.splitlines():
        assert len(line) <= LARGEST
        json.loads(line)


# Metrics


@pytest.mark.parametrize("name", CARDS)
def test_metrics_for_dashboard_and_alerts(name: str) -> None:
    found = Finished(CARDS[name](), sample.run_info()).report
    families = {
        family.name.removeprefix("exivity_audit_"): family.samples for family in text_string_to_metric_families(render_prometheus(found).decode())
    }
    counted = {(one.labels["severity"], one.labels["status"]): one.value for one in families["findings"]}
    assert len(counted) == 8, "zeros too"
    assert sum(counted.values()) == sum(one.status in (Status.FAIL, Status.WARN) for one in found.results)
    assert {one.labels["outcome"]: one.value for one in families["reads"]}["forbidden"] == sum(site.reads.forbidden for site in found.sites)
    assert [one.value for one in families["reading_seconds"]] == [1]
    assert families["info"][0].labels["purpose"] == str(found.scenario.purpose)
    assert len(families["days_left"]) == len({(one.site, one.kind, one.what, one.subject) for one in found.tables.calendar or []})
