"""Whether a pack is as it was sealed, and by whom. Everything in it is hostile until its hash fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from exivity_audit.errors import UsageError
from exivity_audit.handover import manifest as shape
from exivity_audit.handover.archive import LARGEST, Damaged, open_pack
from exivity_audit.handover.signature import name_of, same, verified_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Shape = TypeVar("Shape")
HINT = "name a file that `exivity-audit seal` wrote"


class Verified(Struct, frozen=True):
    """A pack whose every byte is accounted for."""

    manifest: shape.Manifest
    signed_by: str | None  # the key's name; None: unsigned
    trusted: bool  # signed by the key that was given
    size: int


def read_pack(path: Path) -> bytes:
    """The bytes of a pack's file, one more than a pack may have where it is larger. Raises UsageError."""
    try:
        if not path.is_file():
            raise UsageError(f"{path} is no file", HINT)
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", HINT) from error


def verify(content: bytes, key: Ed25519PublicKey | None = None) -> Verified:
    """The manifest of a pack that is as it was sealed, signed by the key where one is given. Raises Damaged."""
    members = open_pack(content)
    if list(members)[:2] != [shape.MANIFEST, shape.SEAL]:
        raise Damaged("it does not begin with a manifest and a seal")
    sealed = members[shape.MANIFEST]
    found = _decoded(sealed, shape.Manifest, shape.MANIFEST)
    seal = _decoded(members[shape.SEAL], shape.Seal, shape.SEAL)
    if shape.written(seal) != members[shape.SEAL]:
        raise Damaged("its seal is not written as seals are")
    if seal.manifest_sha256 != shape.sha256(sealed):
        raise Damaged("its manifest is not the one that was sealed")
    _fit(found, members)
    if seal.signature is None:
        if key is not None:
            raise Damaged("it is unsigned, and so not by the key that was given")
        return Verified(found, None, False, len(content))
    signer = verified_key(sealed, seal.signature)
    if signer is None:
        raise Damaged("its signature does not fit its manifest")
    if key is not None and not same(signer, key):
        raise Damaged(f"it is signed by another key than the one that was given: by {name_of(signer)}")
    return Verified(found, name_of(signer), key is not None, len(content))


def _decoded(content: memoryview, kind: type[Shape], name: str) -> Shape:
    if len(content) > shape.LARGEST_MANIFEST:
        raise Damaged(f"{name} is larger than {shape.LARGEST_MANIFEST >> 20} MiB")
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Damaged(f"{name} is none of this version") from error


def _fit(found: shape.Manifest, members: dict[str, memoryview]) -> None:
    """Every file of the manifest and no other, each with its size and hash. Raises Damaged."""
    names = [file.name for file in found.files]
    if names != list(members)[2:]:
        raise Damaged("its files are not those of its manifest, in that order")
    for file in found.files:
        if file.name not in shape.FIXED and not file.name.startswith(shape.EVIDENCE):
            raise Damaged("it holds a file that no pack holds")
        if file.size != len(members[file.name]) or file.sha256 != shape.sha256(members[file.name]):
            raise Damaged(f"{file.name} is not the file that was sealed")
