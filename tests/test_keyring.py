"""Snapshots taken apart: groups are compared inside a keyring only, and one parity key makes one ring of two files."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from exivity_audit.errors import UsageError
from exivity_audit.handover.sealing import strained_snapshot
from exivity_audit.keyring import comparable, descriptions, join
from exivity_audit.snapshot import Cluster, Outcome, Place, Record, SiteSnapshot, Snapshot, Tool, decode, encode


def secret(group: int, parity: str | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"group": group, "length": 32, "classes": ["lower"], "strength": "strong", "known": None, "equals": []}
    return {"secret": {**body, **({"parity": parity} if parity else {})}}


def site(name: str, *groups: dict[str, Any], key: str = "") -> SiteSnapshot:
    reads = tuple(
        Record(f"read{number}", "secrets", "v1", "Secret", Place("exivity", "x"), Outcome.FOUND, 200, "", ("data.key",), ({"data": {"key": one}},))
        for number, one in enumerate(groups)
    )
    cluster = Cluster(name, f"uid-{name}", "v1.36.3")
    return SiteSnapshot(name, None, cluster, "exivity", "exivity", "exivity", None, "2026-11-24T12:00:00Z", False, reads, key_check=key)


def part(*sites: SiteSnapshot, started: str = "2026-11-24T12:00:00Z") -> Snapshot:
    return Snapshot("exivity-audit/snapshot", 1, Tool("exivity-audit", "0.1.0"), started, started, sites)


def groups(snapshot: Snapshot) -> dict[str, list[int]]:
    return {one.name: [body["group"] for record in one.reads for _, body in descriptions(record.objects)] for one in snapshot.sites}


def test_sites_of_one_run_are_comparable_and_stay_as_they_are() -> None:
    pair = part(site("ams", secret(1), secret(2)), site("fra", secret(1), secret(3)))
    assert comparable(*pair.sites)
    assert join([pair]) is pair


def test_two_files_without_a_key_are_not_comparable_and_share_no_number() -> None:
    found = join([part(site("ams", secret(1), secret(2))), part(site("fra", secret(1), secret(2)))])
    assert not comparable(*found.sites)
    numbers = groups(found)
    assert not set(numbers["ams"]) & set(numbers["fra"])


def test_one_key_makes_equal_values_one_group_over_both_files() -> None:
    found = join([
        part(site("ams", secret(1, "aa"), secret(2, "bb"), key="k")), part(site("fra", secret(1, "cc"), secret(2, "bb"), key="k")),
    ])  # fmt: skip
    assert comparable(*found.sites)
    assert groups(found) == {"ams": [1, 2], "fra": [3, 2]}


def test_groups_of_one_file_stay_together_whatever_their_purpose() -> None:
    """One value under two purposes has two keyed hashes and one group; a second file joins them through either."""
    found = join([
        part(site("ams", secret(7, "a1"), secret(7, "b1"), key="k")), part(site("fra", secret(1, "a2"), secret(2, "b1"), key="k")),
    ])  # fmt: skip
    assert groups(found) == {"ams": [1, 1], "fra": [2, 1]}


def test_different_keys_are_different_rings_even_where_hashes_look_alike() -> None:
    found = join([part(site("ams", secret(1, "aa"), key="k")), part(site("fra", secret(1, "aa"), key="other"))])
    assert not comparable(*found.sites)
    assert groups(found) == {"ams": [1], "fra": [2]}


def test_three_sites_two_of_them_of_one_run() -> None:
    found = join([part(site("ams", secret(1)), site("fra", secret(1))), part(site("lon", secret(1)))])
    first, second, third = found.sites
    assert comparable(first, second)
    assert not comparable(first, third)
    assert groups(found) == {"ams": [1], "fra": [1], "lon": [2]}


def test_what_was_joined_can_be_saved_and_joined_again() -> None:
    once = join([part(site("ams", secret(1))), part(site("fra", secret(1)))])
    again = join([decode(encode(once), "file"), part(site("lon", secret(1)))])
    assert len({one.keyring for one in again.sites}) == 3
    assert len({number for numbers in groups(again).values() for number in numbers}) == 3


def test_the_sites_stand_in_the_order_that_is_named() -> None:
    found = join([part(site("fra", secret(1)), started="2026-11-25T12:00:00Z"), part(site("ams", secret(1)))], ("ams", "fra"))
    assert [one.name for one in found.sites] == ["ams", "fra"]
    assert groups(found) == {"ams": [1], "fra": [2]}
    assert (found.started, found.finished) == ("2026-11-24T12:00:00Z", "2026-11-25T12:00:00Z")


def test_a_description_that_is_none_is_left_as_it_is() -> None:
    odd = {"secret": {"group": "one"}}
    found = join([part(site("ams", odd)), part(site("fra", secret(1)))])
    assert found.sites[0].reads[0].objects[0]["data"]["key"] == odd


def test_a_file_of_before_keyrings_is_read_and_its_bytes_do_not_change() -> None:
    plain = part(site("ams", secret(1)))
    assert b"keyring" not in encode(plain)
    assert decode(encode(plain), "file") == msgspec.json.decode(encode(plain), type=Snapshot)


def test_a_file_nested_deeper_than_ours_is_refused_wherever_all_of_it_is_walked() -> None:
    def nested(inner: Any) -> Snapshot:
        for _ in range(900):
            inner = {"a": inner}
        return decode(encode(part(site("ams", inner))), "odd.json")

    with pytest.raises(UsageError, match="nested deeper"):
        join([nested(secret(1)), part(site("fra", secret(1)))])
    with pytest.raises(UsageError, match="nested deeper"):
        strained_snapshot(nested({"secret": {"group": 1}, "text": "password=an0ther-W0rd"}))
    assert strained_snapshot(nested(secret(1))) == nested(secret(1)), "in which nothing is caught: its texts alone are looked at"
