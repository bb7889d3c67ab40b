"""``python -m exivity_audit``."""

from exivity_audit.cli import main

main()
