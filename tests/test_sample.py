"""The demo's sample cluster is what the collector makes today."""

from __future__ import annotations

from exivity_audit.snapshot import encode
from tests.sample import FILE, sample


def test_the_sample_is_current() -> None:
    assert encode(sample()) == FILE.read_bytes(), "run `make sample`"


def test_the_sample_holds_no_secret_value() -> None:
    from tests import builders

    text = FILE.read_text()
    for value in (builders.APP_KEY, builders.JWT_SECRET, builders.DATABASE_PASSWORD, builders.BROKER_PASSWORD, builders.LICENCE):
        assert value not in text
        assert builders.encode(value) not in text
    assert "PRIVATE KEY" not in text
