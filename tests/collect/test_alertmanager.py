"""What is kept of an Alertmanager configuration: no URL, key, address or template, in no form it is written in."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from exivity_audit.collect.alertmanager import LARGEST, describe_config, describe_object
from exivity_audit.collect.describe import DESCRIBERS, Vault
from exivity_audit.snapshot import Outcome
from tests.builders import encode, made, multi_node
from tests.judging import site_of
from tests.mutation import put
from tests.products.monitoring import ALERTMANAGER, ALPHA, API, PROMETHEUS, SPACE, config_secrets, prometheus, with_victoria

SECRET = "hunter2hunter2"
CONFIG = f"""\
global:
  smtp_auth_password: {SECRET}
  slack_api_url: https://hooks.slack.com/services/{SECRET}
templates: ['/etc/{SECRET}.tmpl']
inhibit_rules:
  - source_matchers: ['x="{SECRET}"']
time_intervals:
  - name: {SECRET}
route:
  receiver: chat
  group_by: [{SECRET}]
  routes:
    - receiver: https://hooks.slack.com/{SECRET}
      match: {{ customer: {SECRET}, severity: critical }}
      match_re: {{ namespace: "exivity|{SECRET}=x@y" }}
      matchers: ['team="{SECRET}"', 'namespace="exivity"', 'alertname =~ "A|B"']
      continue: true
    - matchers: ['{{severity=~"critical", alertname!="Watchdog"}}']
receivers:
  - name: chat
    slack_configs:
      - api_url: https://hooks.slack.com/{SECRET}
        channel: '#{SECRET}'
        text: '{{{{ template "{SECRET}" . }}}}'
  - name: https://hooks.slack.com/{SECRET}
    webhook_configs:
      - url: https://u:{SECRET}@h/?token={SECRET}
    email_configs: []
    "{SECRET}": x
    "{SECRET}/y_configs": [1]
  - name: 'null'
"""


def test_what_is_kept() -> None:
    found = describe_config(CONFIG.encode())
    assert SECRET not in json.dumps(found)
    assert found["receivers"] == [
        {"name": "chat", "integrations": ["slack"]},
        {"name": "receiver 1", "integrations": ["webhook"]},
        {"name": "null", "integrations": []},
    ]
    first, second = found["route"]["routes"]
    assert (found["route"]["receiver"], first["receiver"], second["receiver"]) == ("chat", "receiver 1", None)
    assert (first["continue"], first["legible"], second["legible"]) == (True, False, True)
    assert {"label": "namespace", "operator": "=", "value": "exivity"} in first["matchers"]
    assert {"label": "customer", "operator": "="} in first["matchers"]
    assert {"label": "team", "operator": "="} in first["matchers"]
    assert second["matchers"] == [
        {"label": "severity", "operator": "=~", "value": "critical"},
        {"label": "alertname", "operator": "!=", "value": "Watchdog"},
    ]


def test_the_generated_one_is_gzipped() -> None:
    assert describe_config(gzip.compress(CONFIG.encode())) == describe_config(CONFIG.encode())


def test_an_object_of_the_operator() -> None:
    spec = {
        "route": {"receiver": "pager", "matchers": [{"name": "severity", "value": "critical", "matchType": "="}, {"name": "x", "value": SECRET, "regex": True}],
                  "routes": [{"receiver": "chat"}]},
        "receivers": [{"name": "pager", "pagerdutyConfigs": [{"routingKey": {"name": SECRET, "key": SECRET}, "url": SECRET}]}, {"name": "chat", "slackConfigs": []}],
        "inhibitRules": [{"x": SECRET}],
    }  # fmt: skip
    found = describe_object(spec)
    assert SECRET not in json.dumps(found)
    assert found["receivers"] == [{"name": "pager", "integrations": ["pagerduty"]}, {"name": "chat", "integrations": []}]
    assert found["route"]["matchers"] == [{"label": "severity", "operator": "=", "value": "critical"}, {"label": "x", "operator": "=~"}]
    assert found["route"]["routes"][0]["receiver"] == "chat"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"a: [", "yaml"), (b"\xff\xfe\xfd", "text"), (gzip.compress(b"x", mtime=0)[:-12], "text"), (b"\x1f\x8bnothing", "text"), (gzip.compress(b"a" * (LARGEST + 10)), "text"),
        (b"a: " + b"b" * (LARGEST + 1), "text"), (b"- 1\n- 2", "yaml"), (b"a: 1\na: 2", "yaml"), (b"a: !!python/object:os.system x", "yaml"),
    ],
)  # fmt: skip
def test_what_is_no_configuration_says_so(raw: bytes, word: str) -> None:
    assert describe_config(raw) == {"malformed": word}


@pytest.mark.parametrize(
    "text",
    [
        "receivers: x\nroute: y",
        "receivers: [x]\nroute: {routes: x}",
        "receivers: [{name: 3}]\nroute: {receiver: 4, matchers: [3], match: 5}",
        "",
        "{}",
    ],
)
def test_odd_forms_are_named_and_never_copied(text: str) -> None:
    found = describe_config(text.encode())
    assert set(found) == {"receivers", "route"}


def test_routes_that_never_end_are_cut() -> None:
    deep = "{receiver: a, routes: [" * 60 + "{receiver: b}" + "]}" * 60
    assert "malformed" in json.dumps(describe_config(f"route: {deep}\nreceivers: []".encode()))
    assert "malformed" in json.dumps(describe_config(json.dumps({"route": {"routes": [{"receiver": "a"}] * 5000}, "receivers": []}).encode()))


def test_a_secret_that_is_no_base64() -> None:
    assert DESCRIBERS["receivers"]("%", Vault()) == {"malformed": "base64"}


def everything() -> Any:
    """A cluster with something secret wherever people put it around Prometheus."""
    world = multi_node()
    world.edit("Prometheus", PROMETHEUS, lambda item: item["spec"].update(
        remoteWrite=[{"url": f"https://u:{SECRET}@h", "name": SECRET, "basicAuth": {"username": {"name": SECRET}}, "headers": {"X": SECRET}}],
        additionalScrapeConfigs={"name": SECRET, "key": SECRET}, additionalAlertManagerConfigs={"name": SECRET, "key": SECRET}, externalLabels={"x": SECRET},
        containers=[{"name": "p", "env": [{"name": "X", "value": SECRET}], "args": [SECRET]}], externalUrl=f"https://{SECRET}", remoteRead=[{"url": SECRET}],
    ))  # fmt: skip
    world.edit(
        "Prometheus",
        PROMETHEUS,
        lambda item: item["spec"]["alerting"]["alertmanagers"][0].update(bearerTokenFile=SECRET, basicAuth={"password": {"name": SECRET}}),
    )
    world.edit("Prometheus", PROMETHEUS, lambda item: item["status"]["conditions"][0].update(message=f"secret {SECRET} not found"))
    world.edit("ServiceMonitor", "exivity-glass", lambda item: item["spec"]["endpoints"][0].update(
        bearerTokenFile=f"/{SECRET}", params={"token": [SECRET]}, proxyUrl=f"http://u:{SECRET}@p", tlsConfig={"caFile": f"/{SECRET}", "serverName": SECRET}, path=f"/?token={SECRET}",
        basicAuth={"password": {"name": SECRET}},
    ))  # fmt: skip
    world.edit("PodMonitor", "pg", lambda item: item["spec"]["podMetricsEndpoints"][0].update(params={"token": [SECRET]}))
    world.edit(
        "PrometheusRule", "exivity", lambda item: item["spec"]["groups"][0]["rules"][0].update(annotations={"x": SECRET}, labels={"x": SECRET})
    )
    world.edit(
        "Alertmanager",
        ALERTMANAGER,
        lambda item: item["spec"].update(externalUrl=SECRET, secrets=[SECRET], additionalArgs=[{"name": "x", "value": SECRET}]),
    )
    for secret in config_secrets(CONFIG):
        world.edit("Secret", secret["metadata"]["name"], put("data", {**secret["data"], "template.tmpl": encode(SECRET), SECRET: encode(SECRET)}))
    world.add(made(ALPHA, "AlertmanagerConfig", "team", "exivity", spec={
        "route": {"receiver": f"https://u:{SECRET}@h", "groupBy": [SECRET]}, "receivers": [{"name": f"https://u:{SECRET}@h", "webhookConfigs": [{"url": f"https://{SECRET}"}]}]}))  # fmt: skip
    world.add(
        made(
            API,
            "ThanosRuler",
            "ruler",
            SPACE,
            spec={"alertmanagersUrl": [f"http://u:{SECRET}@h"], "queryConfig": {"name": SECRET}, "ruleSelector": {}},
        )
    )
    world.add(made("monitoring.coreos.com/v1alpha1", "PrometheusAgent", "agent", SPACE, spec={"remoteWrite": [{"url": f"https://{SECRET}"}]}))
    return world


def text_of(world: Any) -> str:
    return "\n".join(json.dumps(item, default=str) for record in site_of(world).reads for item in record.objects)


def test_no_secret_of_the_stack_is_kept() -> None:
    text = text_of(everything())
    for trace in (SECRET, encode(SECRET), encode(SECRET)[:-4]):
        assert trace not in text
    assert '"integrations": ["slack"]' in text


def test_no_secret_of_victoria_metrics_is_kept() -> None:
    world = with_victoria(multi_node())
    for kind in ("VMAgent", "VMSingle"):
        world.edit(
            kind,
            "vm",
            lambda item: item["spec"].update(
                remoteWrite=[{"url": f"https://u:{SECRET}@h"}], extraEnvs=[{"name": "X", "value": SECRET}], license={"key": SECRET}
            ),
        )
        world.edit(kind, "vm", put("status.reason", SECRET))
    text = text_of(world)
    assert SECRET not in text
    assert '"updateStatus": "operational"' in text


def outcomes(world: Any, **where: Any) -> dict[str, set[Outcome]]:
    found: dict[str, set[Outcome]] = {}
    for record in site_of(world, **where).reads:
        found.setdefault(record.name, set()).add(record.outcome)
    return found


def test_the_run_without_secrets_asks_for_no_configuration() -> None:
    world = multi_node()
    assert outcomes(world, secrets="none")["alertmanager_secrets"] == {Outcome.NOT_ASKED}
    assert not [path for _, path in world.requests if "/secrets/alertmanager" in path]


def test_namespaces_are_listed_only_where_a_server_chooses_them_by_label() -> None:
    world = multi_node()
    outcomes(world)
    assert ("GET", "/api/v1/namespaces") not in world.requests
    world.add(prometheus("other", "team", podMonitorNamespaceSelector={"matchLabels": {"team": "a"}}))
    assert outcomes(world)["monitored_namespaces"] == {Outcome.FOUND}
    assert ("GET", "/api/v1/namespaces") in world.requests


def test_an_account_of_one_namespace_looks_there_and_around() -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource.endswith(".coreos.com") and namespace is None
    assert outcomes(world)["service_monitors"] == {Outcome.FOUND, Outcome.EMPTY}
    asked = {path for _, path in world.requests if path.endswith("/servicemonitors")}
    assert "/apis/monitoring.coreos.com/v1/namespaces/exivity/servicemonitors" in asked
    assert "/apis/monitoring.coreos.com/v1/namespaces/rabbitmq/servicemonitors" in asked
