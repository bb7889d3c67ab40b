"""The tool's version."""

from exivity_audit import __version__


def version() -> str:
    """The version as the package carries it."""
    return __version__
