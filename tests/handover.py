"""docs/handover.md: one handover walked from the first run to the gate, with the commands that were run and what they printed.

``python -m tests.documents`` writes it; a test tells when it is not current. What the page says of counts and gates is read from the
output, so it stays true when checks are added.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from exivity_audit.snapshot import save
from tests import builders
from tests.command import audit
from tests.documents import ROOT
from tests.judging import site_of, snapshot_of
from tests.mutation import drop
from tests.world import World

PAGE = ROOT / "docs" / "handover.md"
HOST = "billing.acme.eu"
WHEN = "2026-11-23T12:00:00Z"
BY, DATE, OWNER, UNTIL = "J. de Boer", "2026-11-20", "M. Smit", "2027-01-31"
SHORTENED = "[…]"


def first() -> World:
    """The cluster as it was built: what handovers usually miss."""
    world = mended()
    world.edit("Deployment", "exivity-chronos", lambda item: item["spec"].update(replicas=2))
    world.edit("ConfigMap", "exivity-proximity-api-env", drop("data.TRUSTED_PROXY"))
    retention = {"EXIVITY_LOGFILES_DELETE_DAYS": "365", "EXIVITY_LOGFILES_COMPRESS_DAYS": "30"}
    world.edit("ConfigMap", "exivity-config-logfiles", lambda item: item["data"].update(retention))
    world.edit("Secret", "exivity-licence-key", lambda item: item["data"].update({"license.key": builders.encode("demo")}))
    return world


def mended() -> World:
    """The same cluster after the fixes; the log volumes stay small until the storage team has moved them."""
    return builders.multi_node(host=HOST, log_size="1Gi")


class Shell:
    """Runs the tool in a folder of its own and keeps what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str) -> tuple[str, int]:
        """Standard output and the exit code of ``exivity-audit …``."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("KUBE", "EXIVITY_AUDIT", "NO_COLOR"))}
        environment = {**kept, "COLUMNS": "100", "HOME": str(self.folder)}
        done = audit(*command.split()[1:], env=environment, cwd=self.folder)
        assert done.returncode in (0, 1, 2, 3), done.stderr
        assert "bug in this tool" not in done.stderr, done.stderr
        return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines()), done.returncode

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name


def section(text: str, *titles: str) -> str:
    """Some sections of a terminal report, by their headings."""
    parts = re.split(r"\n\n(?=[A-Z][A-Z ]+[A-Z](?: {2,}.*)?\n─+\n)", text)
    found = [part for part in parts[1:] if part.split("\n")[0].startswith(titles)]
    return f"\n\n{SHORTENED}\n\n".join(found)


def opening(text: str) -> str:
    """A report up to its checklist."""
    return text.partition("\n\nCHECKLIST")[0]


def lines(text: str, most: int) -> str:
    """The first lines."""
    every = text.splitlines()
    return "\n".join([*every[:most], *([SHORTENED] if len(every) > most else [])])


def item(text: str, check: str) -> str:
    """One item of a template or draft with its comments, by its check; where it is not needed, the first that is bound to a context."""
    blocks = [block for block in text.split("\n\n")[1:] if "- check:" in block]
    bound = next((block for block in blocks if "    context:" in block), blocks[0])
    return next((block for block in blocks if f"- check: {check}\n" in block), bound)


def block(text: str, language: str = "text") -> str:
    """A fenced block."""
    return f"```{language}\n{text}\n```\n"


def shown(command: str, output: str, code: int | None = None) -> str:
    """A command with its output and exit code as a terminal shows them."""
    ending = f"\n$ echo $?\n{code}" if code is not None else ""
    return block(f"$ {command}\n{output}{ending}", "console")


def fill(template: str, folder: Path) -> str:
    """The template as its owner fills it in, with a file of proof for each item."""
    proofs = folder / "proof"
    proofs.mkdir(exist_ok=True)
    filled = []
    for part in re.split(r"(?m)(?=^  - check: )", template):
        name = re.match(r"  - check: (\S+)", part)
        if name:
            proof = proofs / f"{name[1].replace('/', '-')}.txt"
            proof.write_text(f"{name[1]}: done on {DATE}\n")
            digest = hashlib.sha256(proof.read_bytes()).hexdigest()
            part = part.replace('statement: ""', f'statement: "{STATEMENTS.get(name[1], "Done as asked, result attached")}"', 1)
            part = part.replace('by: ""', f"by: {BY}", 1).replace('date: ""', f"date: {DATE}", 1)
            part = part.replace('{path: "", sha256: ""}', f"{{path: proof/{proof.name}, sha256: {digest}}}", 1)
            part = re.sub(r"  # (what was done|who vouches|the day it was).*", "", part)
        filled.append(part)
    return "".join(filled)


STATEMENTS = {
    "backups/restore-test": "Restored last night's backup into the namespace restore-test, logged in, compared the October report: equal",
    "upgrades/version-controlled": "Values live in git.acme.eu/platform/exivity, file values/prod.yaml; the last upgrade ran from commit 4f2c91a",
}
WAIVER = f"""waivers:
  - check: pvc_sizes/logs
    subject: "PersistentVolumeClaim exivity/*-log"
    accepts: 1Gi
    reason: "logs go to the central store within the hour; larger volumes come with the storage move"
    owner: {OWNER}
    expires: {UNTIL}
    ticket: CHG-4411
"""


def page() -> str:
    """The page's text."""
    with tempfile.TemporaryDirectory() as name:
        return _page(Shell(Path(name)))


def _page(shell: Shell) -> str:
    for file, world in (("first.json.gz", first()), ("mended.json.gz", mended())):
        site = site_of(world)
        save(snapshot_of(msgspec.structs.replace(site, cluster=msgspec.structs.replace(site.cluster, name="prod-ams"))), shell.file(file))
    run = {key: f"exivity-audit run --snapshot {file}" for key, file in (("first", "first.json.gz"), ("mended", "mended.json.gz"))}
    report, code = shell.run(run["first"])
    parts = [HEAD, shown(run["first"], opening(report) + f"\n\n{SHORTENED}\n\n" + section(report, "FIX THESE FIRST"), code)]
    short, code = shell.run(f"{run['mended']} --short")
    parts += [MENDED, shown(f"{run['mended']} --short", short, code)]

    template, _ = shell.run("exivity-audit evidence template --snapshot mended.json.gz")
    made, _ = shell.run("exivity-audit evidence template --snapshot mended.json.gz -o evidence.yaml")
    blank, code = shell.run(f"exivity-audit evidence lint --now {WHEN}")
    parts += [EVIDENCE, shown("exivity-audit evidence template --snapshot mended.json.gz -o evidence.yaml", made), "One of its items:\n"]
    parts += [
        block(item(template, "backups/restore-test"), "yaml"),
        BLANKS,
        shown(f"exivity-audit evidence lint --now {WHEN}", lines(blank, 6), code),
    ]
    shell.file("evidence.yaml").write_text(fill(shell.file("evidence.yaml").read_text(), shell.folder))
    sound, code = shell.run(f"exivity-audit evidence lint --now {WHEN}")
    parts += ["Filled in:\n", block(item(shell.file("evidence.yaml").read_text(), "backups/restore-test"), "yaml")]
    parts += [shown(f"exivity-audit evidence lint --now {WHEN}", sound, code)]

    draft, _ = shell.run("exivity-audit waivers draft --snapshot mended.json.gz")
    parts += [WAIVERS, shown("exivity-audit waivers draft --snapshot mended.json.gz", lines(draft, 20))]
    shell.file("exivity-audit.yaml").write_text(WAIVER)
    sound, code = shell.run("exivity-audit waivers lint --snapshot mended.json.gz")
    parts += [AGREED, block(WAIVER.rstrip("\n"), "yaml"), shown("exivity-audit waivers lint --snapshot mended.json.gz", sound, code)]

    last = f"{run['mended']} --evidence evidence.yaml"
    report, code = shell.run(last)
    parts += [
        LAST,
        shown(last, opening(report) + f"\n\n{SHORTENED}\n\n" + section(report, "ATTESTED AND WAIVED", "CALENDAR"), code),
        _verdict(report),
    ]
    shell.run(f"{run['first']} -q -o json=first.json")
    changed, code = shell.run("exivity-audit diff first.json mended.json.gz --evidence evidence.yaml")
    parts += [CHANGED, shown("exivity-audit diff first.json mended.json.gz --evidence evidence.yaml", lines(changed, 12), code)]
    parts += _sealed(shell)
    parts.append(LATER)
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _sealed(shell: Shell) -> list[str]:
    """Sealing the pack and verifying it, as it was and after somebody changed one byte."""
    key = Ed25519PrivateKey.from_private_bytes(b"a key of the sample, of 32 bytes")
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shell.file("seal.key").write_bytes(private)
    shell.file("seal.pub").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    parts = [SEALING, block(KEYS, "console")]
    seal = "exivity-audit seal --snapshot mended.json.gz --evidence evidence.yaml --key seal.key --by Acme -o handover.zip"
    said, code = shell.run(seal)
    parts.append(shown(seal, re.sub(r"\d+ bytes", "[…] bytes", said), code))
    verify = "exivity-audit verify handover.zip --key seal.pub"
    said, code = shell.run(verify)
    listed = r"(?m)^  [0-9a-f]{64} +[\d.]+ ?\w+  "  # sizes and hashes change with every word of a check, and with the zlib at hand
    parts += [VERIFYING, shown(verify, re.sub(listed, "  […]  ", said), code)]
    content = bytearray(shell.file("handover.zip").read_bytes())
    content[len(content) // 2] ^= 1
    shell.file("changed.zip").write_bytes(bytes(content))
    said, code = shell.run(verify.replace("handover.zip", "changed.zip"))
    return [*parts, SPOILT, shown(verify.replace("handover.zip", "changed.zip"), said, code)]


def _verdict(report: str) -> str:
    """What the last run's gate means."""
    line = report.splitlines()[-1].strip()
    if line.startswith("READY"):
        return "The gate is READY: the installation may be handed over, with the waivers and remarks that the report names."
    open_checks = re.findall(r"(\d+) checks? of (.+?) (?:is|are) not built yet", report)
    why = ", ".join(f"{count} of {row}" for count, row in open_checks)
    rest = f" Checks that have no code in this version ({why}) count as unknown" if why else " What could not be seen counts as unknown"
    return f"The gate is {line.split('   ')[0]}.{rest}: the report lists them under *Could not look*, and nothing is called READY on a guess."


HEAD = """# A handover, from the first run to the gate

<!-- written by `python -m tests.documents` from tests/handover.py; do not edit -->

Everything below was run: the commands are real, their output is shortened where `[…]` stands. The cluster is a sample of three workers on Longhorn with CloudNativePG;
`--snapshot` stands in for a live cluster (`exivity-audit run --save first.json.gz` makes such a file), and `--now` for the day on which the page was written.

## 1. The first run

The report says what decides readiness, and which five fixes gain most.
"""
MENDED = """## 2. Mend what can be mended

The chart values from the report go into the values file, `helm upgrade`, and the cluster is read again. `--short` is the form for a chat.
"""
EVIDENCE = """## 3. Vouch for what no cluster shows

A restore that somebody tried, a load balancer that the platform team confirmed: no API shows it. `evidence template` writes a file with every such item of *this* cluster.
"""
BLANKS = """Its comments say what to do and what to attach. The context is what the statement was made on: when the database's major, the backup target or the storage class
changes, the attestation is void, and the report says which. Blanks are refused, all at once:
"""
WAIVERS = """## 4. Accept what stays, for a time

`waivers draft` prints a waiver for each finding that is left, with the value as it is now. Most of them are better mended; take those away.
"""
AGREED = """Here the small log volumes stay until the storage move. One waiver with a wildcard covers all of them, up to the value that was accepted: a smaller volume voids it.
"""
LAST = """## 5. The run for the handover

With `evidence.yaml` and the waivers in `exivity-audit.yaml`. What rests on a person's word stands in a section of its own, the score without waivers beside the score,
and the calendar says what becomes due when.
"""
CHANGED = """## 6. What changed on the way

`diff` takes reports and snapshots; a snapshot is judged by the checklist of today. What failed and could not be seen again is never called resolved.
"""
SEALING = """## 7. Seal it

`seal` audits once more and puts everything that the handover rests on into one zip: the reports, the snapshot, the config without its credentials, the evidence with
the files that prove it, and a manifest with the SHA-256 of each. A file in which something looks like a secret is refused. The key is made once, and its public half is
given to whoever verifies:
"""
KEYS = """$ openssl genpkey -algorithm ed25519 -out seal.key
$ openssl pkey -in seal.key -pubout -out seal.pub"""
VERIFYING = """## 8. Verify it

Whoever gets the pack needs this tool and the public key, and no cluster. Without `--key` the report says by which key it is signed, or that it is unsigned.
"""
SPOILT = """One byte changed on the way:
"""
LATER = """## Afterwards

Run it every night with the same files and `--history DIR`: the report then tells the trend, and how many days each volume lasts. `--baseline FILE --fail-on-new` fails a
pipeline for what is new or worse, and for nothing that was known. On the day an attestation or waiver ends it covers nothing any more, the report says so, and the gate follows. A fail that the
cluster shows is never attested away, and a waiver never covers what could not be seen.
"""
