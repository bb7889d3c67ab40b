"""Tests of exivity-audit."""
