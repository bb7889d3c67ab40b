"""Row secrets: keys given explicitly or generated, passwords, their sameness, the licence."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from exivity_audit.config import Config
from exivity_audit.verdict import Status
from tests import builders
from tests.builders import APP_KEY, BROKER_PASSWORD, DATABASE_PASSWORD, Installation, encode, made, multi_node, single_node
from tests.judging import judged, outcome, status, verdicts
from tests.mutation import drop, put
from tests.world import World

GENERATED = "Zk3mWx7vBn2cLd9fGh5jRy6uAeQ1pT8s"  # 32 alphanumerics, as randAlphaNum makes them
OTHER = "another_key-that-nobody-named-4711"
ROW = "secrets"
KEYS = {"secrets/app-key": ("app-key", "EXIVITY_APP_KEY", "appKey"), "secrets/jwt-secret": ("jwt-secret", "EXIVITY_JWT_SECRET", "jwtSecret")}
PLAIN = Installation(nodes=("n",), replicas=1, class_name="longhorn", access_mode="ReadWriteMany")


def revision(number: int, check: str, given: str | None, **rest: Any) -> dict[str, Any]:
    values = copy.deepcopy(PLAIN.values())
    if given is None:
        values["secret"].pop(KEYS[check][2])
    else:
        values["secret"][KEYS[check][2]] = given
    return PLAIN.revision(number, values, **rest)


def world_with(check: str, live: str, *history: tuple[int, str | None], **installation: Any) -> World:
    """The conforming cluster with another live key and other stored revisions (number, key named)."""
    world = multi_node(**installation)
    name, key, _ = KEYS[check]
    world.edit("Secret", f"exivity-{name}", put(f"data.{key}", encode(live)))
    if not installation:
        world.remove("Secret", "sh.helm.release.v1.exivity.v1")
        world.add(*(revision(number, check, given) for number, given in history))
    return world


def one(world: World, check: str, **where: Any) -> Any:
    found = outcome(world, check, **where).verdicts
    assert len(found) == 1, [verdict.message for verdict in found]
    return found[0]


@pytest.mark.parametrize("base", [multi_node, single_node])
def test_a_conforming_cluster_has_no_finding(base: Any) -> None:
    found = {item.check.id: item.status for item in judged(base()).outcomes if item.check.row == ROW}
    assert set(found) == {
        f"secrets/{slug}" for slug in ("app-key", "jwt-secret", "postgresql-password", "rabbitmq-password", "distinct", "licence", "exposure")
    }
    assert set(found.values()) == {Status.PASS}


# appKey and jwtSecret


@pytest.mark.parametrize("check", KEYS)
class TestKeys:
    @pytest.mark.parametrize(
        ("live", "history", "expected", "words"),
        [
            (OTHER, [(1, OTHER)], Status.PASS, "the value that revision 1 names"),
            (GENERATED, [(1, GENERATED)], Status.PASS, "the value that revision 1 names"),
            (GENERATED, [(1, GENERATED), (2, None)], Status.PASS, "revision 1"),
            (GENERATED, [(4, None), (5, GENERATED), (6, None)], Status.PASS, "revision 5"),
            (OTHER, [(1, OTHER), (2, GENERATED)], Status.PASS, "revision 1"),
            (GENERATED, [(1, None), (2, OTHER)], Status.FAIL, "not the value that revision 2 names: the upgrade ignored it"),
            (GENERATED, [(7, None), (8, OTHER), (9, None)], Status.FAIL, "revision 8"),
            ("a-key_of-our-own-not-in-any-values", [(1, None), (2, OTHER)], Status.FAIL, "ignored"),
            ("a-key_of-our-own-not-in-any-values", [(1, None)], Status.PASS, "the chart generates 32 alphanumerics"),
            (GENERATED[:31], [(1, None)], Status.PASS, "31 characters"),
            (GENERATED[:31] + "-", [(1, None)], Status.PASS, "32 characters"),
            (GENERATED, [(1, None)], Status.FAIL, "revision 1 names none"),
            (GENERATED, [(1, ""), (2, "")], Status.FAIL, "revision 1 names none"),
            (GENERATED, [(3, None), (4, None)], Status.WARN, "no stored revision names one"),
        ],
    )  # fmt: skip
    def test_explicit_or_generated(self, check: str, live: str, history: list[tuple[int, str | None]], expected: Status, words: str) -> None:
        found = one(world_with(check, live, *history), check)
        assert found.status is expected, found.message
        assert words in found.message
        assert str(found.subject) == f"Secret exivity/exivity-{KEYS[check][0]}"
        if expected is not Status.PASS:
            assert f"`secret.{KEYS[check][2]}`" in found.fix.text

    def test_a_later_value_that_the_upgrade_ignored_is_a_remark_where_an_earlier_one_lives(self, check: str) -> None:
        found = one(world_with(check, OTHER, (1, OTHER), (2, "a-new-key-that-never-arrived")), check)
        assert (found.status, found.remark) == (Status.PASS, "revision 2 names another value, which the upgrade ignored")

    @pytest.mark.parametrize(
        ("live", "words"),
        [("replace-with-a-key-of-your-own-please", "an example placeholder"), ("<your application key here>", "placeholder"), ("", "empty"), ("pass", "the chart's default"),
         ("Kf7jqpwmZxn1234", "15 characters")],
    )  # fmt: skip
    def test_an_unfit_key_fails_whatever_the_values_say(self, check: str, live: str, words: str) -> None:
        found = one(world_with(check, live, (1, live)), check)
        assert found.status is Status.FAIL
        assert words in found.message
        assert "the chart keeps the installed" in found.fix.text

    def test_sixteen_characters_are_enough(self, check: str) -> None:
        assert status(world_with(check, "Kf7jqpwmZxn12345", (1, "Kf7jqpwmZxn12345")), check) is Status.PASS

    def test_a_guessable_key_is_remarked(self, check: str) -> None:
        assert "guessable" in one(world_with(check, "a" * 20, (1, "a" * 20)), check).remark

    def test_a_missing_secret_and_a_missing_key_fail(self, check: str) -> None:
        name, key, _ = KEYS[check]
        world = multi_node()
        world.edit("Secret", f"exivity-{name}", drop(f"data.{key}"))
        assert (one(world, check).status, one(world, check).measured) == (Status.FAIL, "missing")
        world.remove("Secret", f"exivity-{name}")
        found = one(world, check)
        assert (found.status, str(found.subject)) == (Status.FAIL, f"Secret exivity/exivity-{name}")
        assert "Restore the Secret" in found.fix.text

    def test_a_secret_that_may_not_be_read_is_unknown(self, check: str) -> None:
        world = multi_node()
        world.deny = lambda resource, namespace, name: resource == "secrets" and name == f"exivity-{KEYS[check][0]}"
        found = one(world, check)
        assert (found.status, found.needs) == (Status.UNKNOWN, (f"get secrets exivity-{KEYS[check][0]} in exivity",))

    def test_no_secret_is_read_where_none_may_be(self, check: str) -> None:
        assert status(multi_node(), check, secrets="none") is Status.UNKNOWN

    def test_a_value_that_is_no_base64_is_unknown(self, check: str) -> None:
        name, key, _ = KEYS[check]
        world = multi_node()
        world.edit("Secret", f"exivity-{name}", put(f"data.{key}", "%%%"))
        assert status(world, check) is Status.UNKNOWN

    @pytest.mark.parametrize(("live", "expected"), [(OTHER, Status.UNKNOWN), (GENERATED, Status.UNKNOWN), ("short", Status.FAIL)])
    def test_without_revisions_a_fit_key_may_be_one_the_upgrade_ignored(self, check: str, live: str, expected: Status) -> None:
        world = world_with(check, live, (1, live))
        assert status(world, check, secrets="named") is expected
        world.deny = lambda resource, namespace, name: resource == "secrets" and name is None
        assert status(world, check) is expected

    def test_a_revision_that_was_not_read_never_turns_an_ignored_value_into_a_pass(self, check: str) -> None:
        world = world_with(check, OTHER, (1, "a-key-of-the-values_that-is-not-live"))
        assert status(world, check) is Status.FAIL
        world.deny = lambda resource, namespace, name: resource == "secrets" and name is None
        found = one(world, check, namespace="exivity", release="exivity")
        assert (found.status, found.needs) == (Status.UNKNOWN, ("list secrets in exivity",))

    def test_a_malformed_revision_keeps_a_shape_from_deciding(self, check: str) -> None:
        world = world_with(check, OTHER, (2, None))
        broken = revision(1, check, None)
        broken["data"]["release"] = encode("no release")
        world.add(broken)
        assert status(world, check) is Status.UNKNOWN

    def test_an_installation_without_helm_is_judged_by_the_shape(self, check: str) -> None:
        world = multi_node(helm=False)
        name, key, _ = KEYS[check]
        world.edit("Secret", f"exivity-{name}", put(f"data.{key}", encode(OTHER)))
        assert status(world, check) is Status.PASS

    def test_a_malformed_revision_may_be_the_one_that_names_it(self, check: str) -> None:
        world = world_with(check, GENERATED, (2, None))
        broken = revision(1, check, None)
        broken["data"]["release"] = encode("no release")
        world.add(broken)
        assert status(world, check) is Status.UNKNOWN
        assert status(world_with(check, OTHER, (2, OTHER)), check) is Status.PASS

    def test_a_plain_template_warns(self, check: str) -> None:
        found = one(world_with(check, GENERATED, helm=False), check)
        assert (found.status, found.measured) == (Status.WARN, "maybe generated")

    @pytest.mark.parametrize(("live", "expected"), [(GENERATED, Status.UNKNOWN), (OTHER, Status.PASS), ("short", Status.FAIL)])
    def test_argo_cd_decides_only_about_a_generated_shape(self, check: str, live: str, expected: Status) -> None:
        world = world_with(check, live, helm=False)
        for item in world.all("Deployment"):
            item["metadata"].setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = "exivity:apps/Deployment:exivity/x"
        found = one(world, check)
        assert found.status is expected
        assert expected is not Status.UNKNOWN or "what Argo CD renders decides: not built yet" in found.message

    @pytest.mark.parametrize(("api", "tool"), [("applications.argoproj.io", "Argo CD"), ("helmreleases.helm.toolkit.fluxcd.io", "Flux")])
    def test_a_served_gitops_api_may_hold_the_answer(self, check: str, api: str, tool: str) -> None:
        world = world_with(check, GENERATED, helm=False)
        world.resources[api] = ("v1", "Application", True)
        found = one(world, check)
        assert found.status is Status.UNKNOWN
        assert f"{tool} renders decides: not built yet" in found.message
        helm = world_with(check, GENERATED, (1, None))
        helm.resources[api] = ("v1", "Application", True)
        assert status(helm, check) is Status.FAIL

    def test_flux_leaves_revisions_that_decide(self, check: str) -> None:
        world = world_with(check, GENERATED, (1, None))
        for item in world.all("Deployment"):
            item["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"] = "exivity"
        assert status(world, check) is Status.FAIL

    def test_stale_revisions_do_not_speak_for_argo_cd(self, check: str) -> None:
        world = world_with(check, GENERATED, (1, None), (2, OTHER))
        for item in world.all("Deployment"):
            item["metadata"].setdefault("annotations", {})["argocd.argoproj.io/tracking-id"] = "exivity:apps/Deployment:exivity/x"
        assert status(world, check) is Status.UNKNOWN

    def test_deployments_that_may_not_be_read_leave_the_installer_open(self, check: str) -> None:
        world = world_with(check, GENERATED, helm=False)
        world.deny = lambda resource, namespace, name: resource == "deployments.apps"
        assert status(world, check, namespace="exivity", release="exivity") is Status.UNKNOWN


def test_only_the_app_key_has_a_longest_length() -> None:
    long, longest = "kT4-pq8_Zs3mWx7v" * 4 + "x", "kT4-pq8_Zs3mWx7v" * 4
    found = one(world_with("secrets/app-key", long, (1, long)), "secrets/app-key")
    assert (found.status, found.measured) == (Status.FAIL, "64+ characters")
    assert status(world_with("secrets/app-key", longest, (1, longest)), "secrets/app-key") is Status.PASS
    assert status(world_with("secrets/jwt-secret", long, (1, long)), "secrets/jwt-secret") is Status.PASS


# Passwords

PASSWORDS = {"secrets/postgresql-password": ("db.parameters", DATABASE_PASSWORD), "secrets/rabbitmq-password": ("mq", BROKER_PASSWORD)}


def config_of(world: World, part: str, path: str, value: Any) -> None:
    item = world.find("ConfigMap", f"exivity-config-{part}")
    content = json.loads(item["data"]["config.json"])
    put(path, value)(content)
    item["data"]["config.json"] = json.dumps(content)


def with_password(check: str, password: Any) -> World:
    world = multi_node()
    for item in world.all("ConfigMap"):
        if "config.json" in item["data"]:
            config_of(world, item["metadata"]["name"].removeprefix("exivity-config-"), f"{PASSWORDS[check][0]}.password", password)
    if check == "secrets/postgresql-password":
        world.edit("Secret", "exivity-postgres-secret", put("data.POSTGRES_PASSWORD", encode(str(password or ""))))
    return world


@pytest.mark.parametrize("check", PASSWORDS)
class TestPasswords:
    @pytest.mark.parametrize(
        ("password", "words"),
        [("Password12!", "the chart's default"), ("pass", "the chart's default"), ("replace-with-postgresql-password", "an example placeholder"), ("", "empty"),
         ("exivity-app", "the user name"), ("Kf7jq", "weak: 5 characters of 3 classes"), ("Exivity2026!", "weak"), (None, "empty"), ("pg-rw.databases.svc", "the host")],
    )  # fmt: skip
    def test_an_unfit_password_fails_once(self, check: str, password: Any, words: str) -> None:
        found = outcome(with_password(check, password), check).verdicts
        bad = [verdict for verdict in found if verdict.status is Status.FAIL]
        assert len(bad) == len(found) == 1
        assert words in bad[0].message
        assert "random password of 16 characters or more" in bad[0].fix.text

    def test_a_fair_password_passes(self, check: str) -> None:
        assert status(with_password(check, "Kf7jqpwm2x"), check) is Status.PASS

    def test_another_value_in_one_place_fails_there(self, check: str) -> None:
        world = multi_node()
        config_of(world, "use", f"{PASSWORDS[check][0]}.password", "Zt9-kW4_nB7qXs2v")
        found = verdicts(world, check)
        assert found["ConfigMap exivity/exivity-config-use"].status is Status.FAIL
        assert "another value than in" in found["ConfigMap exivity/exivity-config-use"].message
        assert [verdict.status for subject, verdict in found.items() if not subject.endswith("-use")] == [Status.PASS]

    def test_a_config_that_is_malformed_is_unknown_beside_the_others(self, check: str) -> None:
        world = multi_node()
        world.edit("ConfigMap", "exivity-config-use", put("data.config\\.json", "{"))
        found = [verdict.status for verdict in outcome(world, check).verdicts]
        assert sorted(found) == [Status.PASS, Status.UNKNOWN]

    def test_a_password_of_the_wrong_type_is_unknown_beside_the_others(self, check: str) -> None:
        world = multi_node()
        config_of(world, "use", f"{PASSWORDS[check][0]}.password", ["x"])
        assert sorted(verdict.status for verdict in outcome(world, check).verdicts) == [Status.PASS, Status.UNKNOWN]

    def test_config_maps_that_may_not_be_read_leave_it_open(self, check: str) -> None:
        world = multi_node()
        world.deny = lambda resource, namespace, name: resource == "configmaps"
        assert status(world, check) is Status.UNKNOWN


def test_a_secret_that_may_not_be_read_leaves_the_same_in_every_place_open() -> None:
    found = verdicts(multi_node(), "secrets/postgresql-password", secrets="none")
    assert sorted(verdict.status for verdict in found.values()) == [Status.PASS, Status.UNKNOWN]
    world = with_password("secrets/postgresql-password", "Password12!")
    assert status(world, "secrets/postgresql-password", secrets="none") is Status.FAIL
    assert status(multi_node(), "secrets/rabbitmq-password", secrets="none") is Status.PASS


def test_the_database_secret_is_missing_or_lacks_its_key() -> None:
    world = multi_node()
    world.edit("Secret", "exivity-postgres-secret", drop("data.POSTGRES_PASSWORD"))
    assert verdicts(world, "secrets/postgresql-password")["Secret exivity/exivity-postgres-secret"].measured == "missing"
    world.remove("Secret", "exivity-postgres-secret")
    assert verdicts(world, "secrets/postgresql-password")["Secret exivity/exivity-postgres-secret"].status is Status.FAIL


def test_the_secret_alone_differs() -> None:
    world = multi_node()
    world.edit("Secret", "exivity-postgres-secret", put("data.POSTGRES_PASSWORD", encode("Password12!")))
    found = verdicts(world, "secrets/postgresql-password")
    assert found["Secret exivity/exivity-postgres-secret"].status is Status.FAIL
    assert "and the chart's default" in found["Secret exivity/exivity-postgres-secret"].message
    assert found["ConfigMap exivity/exivity-config-shared"].status is Status.PASS


def embedded(world: World, **data: str) -> World:
    kind = "rabbitmq-v4" if "rabbitmq-password" in data else "postgresql"
    world.add(
        made("v1", "Secret", f"exivity-{kind}", "exivity", type="Opaque", data={key.replace("_", "-"): encode(value) for key, value in data.items()})
    )
    return world


def test_the_embedded_database_holds_the_same() -> None:
    check = "secrets/postgresql-password"
    good = {"password": DATABASE_PASSWORD, "postgres-password": "Zt9-kW4_nB7qXs2v"}
    assert status(embedded(multi_node(), **good), check) is Status.PASS
    found = verdicts(embedded(multi_node(), **{**good, "password": "Kx4-kW4_nB7qXs2v"}), check)
    assert found["Secret exivity/exivity-postgresql#password"].status is Status.FAIL
    found = verdicts(embedded(multi_node(), **{**good, "postgres-password": "Password13!"}), check)
    assert found["Secret exivity/exivity-postgresql#postgres-password"].measured == "the chart's default"
    assert "postgresPassword" in found["Secret exivity/exivity-postgresql#postgres-password"].fix.text
    assert status(embedded(multi_node(), password=DATABASE_PASSWORD), check) is Status.PASS


def test_the_embedded_broker_holds_the_same() -> None:
    check = "secrets/rabbitmq-password"
    assert status(embedded(multi_node(), **{"rabbitmq-password": BROKER_PASSWORD}), check) is Status.PASS
    found = verdicts(embedded(multi_node(), **{"rabbitmq-password": "Kx4-kW4_nB7qXs2v"}), check)
    assert found["Secret exivity/exivity-rabbitmq-v4#rabbitmq-password"].status is Status.FAIL


@pytest.mark.parametrize(
    ("check", "path", "host", "secret"),
    [("secrets/postgresql-password", "db.parameters.host", "exivity-postgresql", "exivity-postgresql"), ("secrets/rabbitmq-password", "mq.servers", "exivity-rabbitmq-v4", "exivity-rabbitmq-v4")],
)  # fmt: skip
def test_an_embedded_secret_is_missed_only_where_its_server_is_used(check: str, path: str, host: str, secret: str) -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "secrets" and name == secret
    assert status(world, check) is Status.PASS
    config_of(world, "shared", path, [{"host": host, "port": 5672, "secure": False}] if path == "mq.servers" else host)
    assert status(world, check) is Status.UNKNOWN


def test_several_places_not_read_are_several_unknowns_and_no_error() -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource in ("configmaps", "deployments.apps", "persistentvolumeclaims")
    for check in (*PASSWORDS, "secrets/distinct", "secrets/exposure"):
        assert status(world, check, namespace="exivity", release="exivity") is Status.UNKNOWN
        assert status(world, check, namespace="exivity", release="other") is Status.UNKNOWN


def test_no_config_holds_a_broker_password() -> None:
    world = multi_node()
    for item in list(world.all("ConfigMap")):
        if "config.json" in item["data"]:
            world.remove("ConfigMap", item["metadata"]["name"])
    assert status(world, "secrets/rabbitmq-password") is Status.UNKNOWN
    assert status(world, "secrets/exposure") is Status.PASS


# distinct, licence, exposure


def test_two_equal_secrets_fail() -> None:
    world = multi_node()
    world.edit("Secret", "exivity-jwt-secret", put("data.EXIVITY_JWT_SECRET", encode(APP_KEY)))
    found = one(world, "secrets/distinct")
    assert (found.status, found.measured) == (Status.FAIL, "appKey = jwtSecret")
    assert "secret.jwtSecret" in found.fix.text


def test_one_password_for_both_servers_fails() -> None:
    found = one(with_password("secrets/rabbitmq-password", DATABASE_PASSWORD), "secrets/distinct")
    assert found.measured == "PostgreSQL password = RabbitMQ password"


def test_two_empty_passwords_are_no_equal_ones() -> None:
    world = with_password("secrets/rabbitmq-password", "")
    world.edit("Secret", "exivity-app-key", put("data.EXIVITY_APP_KEY", ""))
    assert status(world, "secrets/distinct") is Status.PASS


def test_distinct_needs_all_four_but_a_seen_pair_is_enough() -> None:
    assert status(multi_node(), "secrets/distinct", secrets="none") is Status.UNKNOWN
    world = with_password("secrets/rabbitmq-password", DATABASE_PASSWORD)
    assert status(world, "secrets/distinct", secrets="none") is Status.FAIL
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "configmaps"
    assert status(world, "secrets/distinct") is Status.UNKNOWN


@pytest.mark.parametrize(("value", "words"), [("demo", "demo"), ("demo\n", "demo"), ("", "empty"), ("replace-with-licence", "placeholder")])
def test_a_licence_of_nobody_fails(value: str, words: str) -> None:
    world = multi_node()
    world.edit("Secret", "exivity-licence-key", put("data.license\\.key", encode(value)))
    found = one(world, "secrets/licence")
    assert found.status is Status.FAIL
    assert words in found.message


def test_the_demo_licence_is_accepted_for_evaluation() -> None:
    for base, expected in ((single_node, Status.PASS), (multi_node, Status.WARN)):
        world = base()
        world.edit("Secret", "exivity-licence-key", put("data.license\\.key", encode("demo")))
        assert status(world, "secrets/licence", config=Config(purpose="evaluation")) is expected


def test_a_licence_that_is_missing_or_not_to_be_read() -> None:
    world = multi_node()
    world.edit("Secret", "exivity-licence-key", drop("data.license\\.key"))
    assert status(world, "secrets/licence") is Status.FAIL
    world.remove("Secret", "exivity-licence-key")
    assert status(world, "secrets/licence") is Status.FAIL
    assert status(world, "secrets/licence", secrets="none") is Status.UNKNOWN


def test_exposure_is_a_remark_that_names_the_config_maps() -> None:
    found = one(multi_node(), "secrets/exposure")
    assert (found.status, found.measured) == (Status.PASS, 8)
    assert "exivity-config-shared" in found.remark
    assert "get configmaps" in found.remark


def test_exposure_is_unknown_where_config_maps_may_not_be_read() -> None:
    world = multi_node()
    world.deny = lambda resource, namespace, name: resource == "configmaps"
    assert status(world, "secrets/exposure") is Status.UNKNOWN


def test_no_secret_value_reaches_a_verdict() -> None:
    worlds = [multi_node(), with_password("secrets/rabbitmq-password", "Kx4-kW4"), world_with("secrets/app-key", GENERATED, (1, None), (2, OTHER))]
    for world in worlds:
        text = repr([item.verdicts for item in judged(world).outcomes])
        for value in (APP_KEY, builders.JWT_SECRET, DATABASE_PASSWORD, BROKER_PASSWORD, builders.LICENCE, GENERATED, OTHER, "Kx4-kW4"):
            assert value not in text
            assert encode(value) not in text
