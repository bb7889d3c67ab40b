"""What is kept of backup targets and of Longhorn's settings: no login, no parameter that nobody judges."""

from __future__ import annotations

from typing import Any

import pytest

from exivity_audit.collect.public import LONGEST_TEXT
from exivity_audit.collect.targets import backup_url, longhorn_restore, longhorn_setting

LONG = "a" * 5 * LONGEST_TEXT


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (" s3://bucket@eu-1/prod ", "s3://bucket@eu-1/prod"), ("gs://box@eu/x", "gs://box@eu/x"), ("cifs://box@nas/x", "cifs://nas/x"), ("s3://bucket@/x", "s3:///x"),
        ("s3://Key@eu/x", "s3://eu/x"), ("s3://eu/x", "s3://eu/x"), ("nfs://[fd00::1]:/x", "nfs://[fd00::1]:/x"), ("nfs://nas", "nfs://nas"), ("nfs://", "nfs://"),
        ("nfs://nas/a b?volume=v", "nfs://nas/a?volume=v"), ("nfs://nas?xbackup=s3cr3t&volume=a+s3cr3t", "nfs://nas"), ("NFS://nas/x", {"malformed": "str"}),
        (f"nfs://nas/{LONG}", f"nfs://nas/{LONG}"[: 4 * LONGEST_TEXT]), (None, None), ("", ""), (" ", {"malformed": "str"}), (["s3cr3t"], {"malformed": "list"}), ({}, {"malformed": "dict"}), (0, {"malformed": "int"}),
    ],
)  # fmt: skip
def test_a_backup_url_is_scheme_place_path_and_names(url: Any, kept: Any) -> None:
    assert backup_url(url) == kept


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        ({"spec": {"fromBackup": "s3://x"}}, True), ({"spec": {"fromBackup": ""}}, False), ({"spec": {}}, False), ({"spec": None}, True), ({}, True), ("odd", True), (None, True),
    ],
)  # fmt: skip
def test_a_volume_that_is_no_restore_is_not_kept(item: Any, kept: bool) -> None:
    """What is no object, or has no spec to tell by, stays: the fact that reads it says that it is malformed."""
    assert longhorn_restore(item) == (item if kept else None)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("default-replica-count", "3", {"value": "3"}), ("default-replica-count", "u:s3cr3t@3", {"value": "3"}), ("default-replica-count", ["s3cr3t"], {"value": {"malformed": "list"}}),
        ("backup-target", "cifs://u:s3cr3t@nas/x", {"value": "cifs://nas/x"}), ("backup-target", "s3cr3t", {"value": {"malformed": "str"}}), ("registry-secret", "s3cr3t", {}),
    ],
)  # fmt: skip
def test_a_setting_keeps_its_value_where_a_fact_uses_it(name: str, value: Any, kept: dict[str, Any]) -> None:
    metadata = {"name": name}
    assert longhorn_setting({"metadata": metadata, "value": value}) == {"metadata": metadata, **kept}


@pytest.mark.parametrize("item", [{"metadata": {"name": "default-replica-count"}}, {"metadata": None}, {"metadata": {}}, {}, "odd", None])
def test_a_setting_without_value_or_name_stays_as_it_is(item: Any) -> None:
    assert longhorn_setting(item) == item


@pytest.mark.parametrize("item", [{"value": "s3cr3t"}, {"metadata": ["s"], "value": "s3cr3t"}, {"metadata": {"name": None}, "value": "s3cr3t"}])
def test_a_setting_without_name_keeps_no_value(item: Any) -> None:
    assert "s3cr3t" not in str(longhorn_setting(item))
