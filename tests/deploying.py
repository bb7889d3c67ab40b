"""What is generated below deploy/: the chart's rules from the conforming clusters of each kind, and the manifests from the chart.

``python -m tests.deploying`` writes both; the manifests need helm (on PATH, in HELM, or as built for the cluster tests).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from exivity_audit.rights import Need, Rights
from exivity_audit.roles import RoleRule, roles_of, rule_text
from tests import builders
from tests.granting import rights_of
from tests.world import OPTIONAL, World

ROOT = Path(__file__).resolve().parents[1]
CHART, RULES, MANIFESTS = ROOT / "deploy/chart", ROOT / "deploy/chart/files/rules.yaml", ROOT / "deploy/manifests"
NAMES = {"namespace": "the-namespace", "release": "the-release", "name_override": "the-fullname"}
KINDS = (
    builders.multi_node, builders.single_node, builders.multi_node_argo, builders.multi_node_flux, builders.multi_node_keda,
    builders.multi_node_openshift, builders.multi_node_metallb,
)  # fmt: skip
PARTS = {
    None: "everywhere",
    "the-namespace": "release",
    "exivity": "release",
    "databases": "middleware",
    "rabbitmq": "middleware",
    "longhorn-system": "longhorn",
    "velero": "velero",
}


def clusters() -> list[World]:
    """Each kind of cluster, the one behind a Gateway (its objects have names of their own), and one that serves every API."""
    every = builders.multi_node(**NAMES)
    every.resources |= OPTIONAL
    return [*(kind(**NAMES) for kind in KINDS), builders.multi_node_gateway(), every]


# Secrets that the chart of the product names itself; those that an Ingress or a workload names are told by a value.
KNOWN_SECRETS = re.compile(r"the-(fullname|release)-(?!tls)")
HEAD = """\
# The rights of an audit of each kind of conforming cluster, by scope and by the namespaces they are for.
# Made by `make deploy` from what `exivity-audit rbac` finds; not for editing. THE-NAMESPACE, THE-RELEASE and THE-FULLNAME stand for the release's.
"""


def rules() -> str:
    """The file of rules."""
    text = HEAD
    for scope in ("cluster", "namespaced"):
        found = _parts([rights_of(world, namespaced=scope == "namespaced") for world in clusters()])
        text += f"{scope}:\n"
        for part in dict.fromkeys(PARTS.values()):
            text += f"  {part}:\n" + "".join(_indented(rule) for rule in found.get(part, ())) if part in found else f"  {part}: []\n"
    return text


def _parts(every: list[Rights]) -> dict[str, list[RoleRule]]:
    """The rules of several clusters as one list for each part, each with all whom it serves."""
    merged: dict[tuple[str, str, str, str, tuple[str, ...]], list[Need]] = {}
    for one in every:
        for space, items in roles_of(one.needs).items():
            for rule in items:
                names = _names(rule, space)
                if space in PARTS and names is not None:
                    merged.setdefault((PARTS[space], rule.group, rule.plural, rule.verb, names), []).extend(rule.needs)
    found: dict[str, list[RoleRule]] = {}
    for (part, group, plural, verb, names), needs in sorted(merged.items(), key=lambda item: item[0]):
        found.setdefault(part, []).append(RoleRule(group, plural, verb, names, tuple(needs)))
    return found


def _names(rule: RoleRule, space: str | None) -> tuple[str, ...] | None:
    """The names of a rule as far as they are the same everywhere; none where each cluster has its own; None: the rule cannot be given."""
    if rule.plural == "secrets" and rule.names:
        return tuple(name for name in rule.names if KNOWN_SECRETS.match(name)) or None
    if rule.plural in ("configmaps", "namespaces"):
        return tuple(name for name in rule.names if name.startswith("the-") or name == "kube-system") or None
    return ()


def _indented(rule: RoleRule) -> str:
    text = rule_text(rule)
    for name in ("namespace", "release", "fullname"):
        text = text.replace(f"the-{name}", f"THE-{name.upper()}")
    return "".join(f"  {line}\n" for line in text.splitlines())


def helm() -> str | None:
    """The helm program, where there is one."""
    built = sorted(Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")).glob("exivity-audit/controlplane/*/bin/helm"))
    return os.environ.get("HELM") or shutil.which("helm") or (str(built[-1]) if built else None)


# One file for each way of running it: what the chart renders with these values.
SETTINGS: dict[str, dict[str, Any]] = {
    "cluster.yaml": {},
    "namespaced.yaml": {"rbac.scope": "namespaced", "secrets": "none"},
    "with-helm-revisions.yaml": {"secrets": "list"},
}


def rendered(program: str, settings: dict[str, Any]) -> str:
    """The manifests for one set of values, for the namespace and service account exivity-audit."""
    words = [program, "template", "exivity-audit", str(CHART), "--namespace", "exivity-audit"]
    words += [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return "# What the chart renders; made by `make deploy`. First: kubectl create namespace exivity-audit\n" + done.stdout


def main() -> None:
    RULES.write_text(rules())
    program = helm()
    if program is None:
        sys.exit("helm is not there: only the rules were written")
    for name, settings in SETTINGS.items():
        (MANIFESTS / name).write_text(rendered(program, settings))


if __name__ == "__main__":
    main()
