"""The words that facts, checks and packs are written in; importing them loads neither the client nor a renderer."""

from msgspec.structs import replace

from exivity_audit.check import AS_IS, RELAX, Check, check
from exivity_audit.document import Document
from exivity_audit.evidence import Source
from exivity_audit.fact import Fact, NotSeen, Objects, fact, maybe, reasons_of, seen
from exivity_audit.keyring import comparable
from exivity_audit.measure import at_least, at_most, exactly, one_of, wanted
from exivity_audit.quantity import Duration, Size, print_duration, print_size, size
from exivity_audit.remedy import NEW_SECRET, REINSTALL, SERVER_TLS, UPGRADE, Fix, patch, task, values
from exivity_audit.scenario import ACTIVE_C, EVERYWHERE, PASSIVE_C, A, B, C, Purpose, Role, Scenario
from exivity_audit.subject import CLUSTER, Subject
from exivity_audit.verdict import Severity, Status, Verdict, fail, malformed, ok, skip, to_attest, together, unknown, warn  # fmt: skip

CRITICAL, HIGH, MEDIUM, LOW = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW
__version__ = "0.1.0"

__all__ = [
    "ACTIVE_C", "AS_IS", "CLUSTER", "CRITICAL", "EVERYWHERE", "HIGH", "LOW", "MEDIUM", "NEW_SECRET", "PASSIVE_C",
    "REINSTALL", "RELAX", "SERVER_TLS", "UPGRADE", "A", "B", "C", "Check", "Document",
    "Duration", "Fact", "Fix", "NotSeen", "Objects", "Purpose", "Role", "Scenario", "Severity", "Size", "Source", "Status", "Subject", "Verdict",
    "at_least", "at_most", "check", "comparable", "exactly", "fact", "fail", "malformed", "maybe", "ok", "one_of", "patch", "print_duration",
    "print_size", "reasons_of", "replace", "seen", "size", "skip", "task", "to_attest", "together", "unknown", "values", "wanted", "warn",
]  # fmt: skip
