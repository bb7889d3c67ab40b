"""What a verified pack says of itself, as lines of text, and what its seal proves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from exivity_audit.quantity import print_size

if TYPE_CHECKING:
    from exivity_audit.handover.manifest import Manifest
    from exivity_audit.handover.verifying import Verified

NOT_PROVEN = "It does not prove that the cluster was as the snapshot says: whoever collects and seals could write anything before."


def pack_facts(name: str, found: Verified) -> Iterator[str]:
    """The facts of the manifest, the files with their hashes, the signature, and what all of it proves."""
    manifest = found.manifest
    yield f"{name}: {_state(found)}"
    yield ""
    yield from (f"  {label:<11}{text}" for label, text in _facts(manifest))
    yield ""
    for file in manifest.files:
        renamed = file.origin is not None and not file.name.endswith(f"/{file.origin}")
        yield f"  {file.sha256}  {print_size(file.size):>9}  {file.name}" + (f"  ({file.origin})" if renamed else "")
    yield ""
    yield from (f"  {line}" for line in _proof(found))


def _state(found: Verified) -> str:
    if found.signed_by is None:
        return "unsigned; every file fits the manifest"
    if not found.trusted:
        return "signed, by a key that you did not name; every file fits the manifest"
    return "signed by the key that was given, and unchanged since"


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for site in manifest.sites:
        place = f"{site.name}: " if len(manifest.sites) > 1 else ""
        version = f"Kubernetes {site.version}" if site.version else "Kubernetes version not seen"
        yield "cluster", f"{place}{site.cluster}, uid {site.uid or 'not seen'}, {version}, release {site.namespace}/{site.release}"
    result = manifest.result
    score = "no score" if result.score is None else f"score {result.score:g}"
    grade = f"grade {result.grade}" if result.grade else "not graded"
    gate = result.gate or "no gate (evaluation)"
    yield "result", f"{gate}, {grade}, {score}, {result.decided} of {result.applicable} checks decided"
    yield "judged", f"as {manifest.scenario or 'scenario unknown'}, {manifest.purpose}, as of {manifest.judged}"
    yield "read", f"{manifest.started} to {manifest.finished}"
    yield "tool", f"exivity-audit {manifest.versions.tool}, checklist {manifest.versions.checklist}"
    if manifest.by is not None:
        yield "sealed by", f"{manifest.by}, as the manifest says"
    for note in manifest.notes:
        yield "note", note


def _proof(found: Verified) -> Iterator[str]:
    """What was shown, and what was not."""
    if found.signed_by is None:
        yield "Unsigned: nothing in it was changed by accident. Whoever can write the file can also change it and seal it anew."
    elif not found.trusted:
        yield f"The key is {found.signed_by}."
        yield "Its holder sealed exactly these files. Whose key it is, nothing here says: compare its name, or verify with --key."
    else:
        yield f"The key is {found.signed_by}."
        yield "Its holder sealed exactly these files, and nobody changed, added or took away any since."
    yield NOT_PROVEN
