"""What a read saw over all its places, or why it saw nothing, in words that name the right or the flag that would show it."""

from __future__ import annotations

from exivity_audit.document import Document, Malformed
from exivity_audit.evidence import BESIDE_THE_API
from exivity_audit.fact import Objects, Reason, Unread, Unreadable
from exivity_audit.snapshot import Outcome, Record
from exivity_audit.subject import Subject

GET_OR_LIST = {True: "get", False: "list"}
HELP = " (would help: "
NOT_REACHED, REACH = "site not reached: ", "reach the site: "


def reading(records: tuple[Record, ...]) -> Objects[Document] | Unreadable:
    """What a read saw over all its places: documents, or why it saw nothing."""
    blind = tuple(reason_of(record) for record in records if record.outcome in (Outcome.FORBIDDEN, Outcome.FAILED, Outcome.NOT_ASKED))
    sighted = [record for record in records if record.outcome in (Outcome.FOUND, Outcome.EMPTY, Outcome.NOT_INSTALLED)]
    if not sighted:
        return Unreadable(tuple(sorted(set(blind)))) if blind else Objects(installed=True)
    installed = any(record.outcome is not Outcome.NOT_INSTALLED for record in sighted)
    documents: list[Document] = []
    odd: list[Unread] = []
    for record in sighted:
        for item in record.objects:
            document = Document(item, record.name, record.resource, record.kind, record.keep)
            try:
                document.subject  # noqa: B018 - an object without a name, or in no namespace that can be told, is malformed
            except Malformed as error:
                odd.append(Unread(Subject(record.kind, None, record.place.namespace), str(error)))
            else:
                documents.append(document)
    return Objects(documents, installed=installed, unreadable=tuple(odd), partial=tuple(sorted(set(blind))))


def rule_of(record: Record) -> str:
    """The RBAC rule a read needs, in words: ``list pods in exivity``, ``get nodes node-1``."""
    verb = GET_OR_LIST[record.place.name is not None]
    name = f" {record.place.name}" if record.place.name else ""
    place = f" in {record.place.namespace}" if record.place.namespace else ""
    return f"{verb} {record.resource}{name}{place}"


def reason_of(record: Record) -> Reason:
    """Why one read saw nothing."""
    if record.reason.startswith(NOT_REACHED):  # one reason for all reads of the site
        said, _, helps = record.reason.removesuffix(")").partition(HELP)
        return Reason("site", said, helps)
    if record.resource.startswith(BESIDE_THE_API):
        return _beside_the_api(record)
    rule = rule_of(record)
    if record.outcome is Outcome.FORBIDDEN:
        return Reason(record.name, f"forbidden: {rule}", rule)
    if record.outcome is Outcome.NOT_ASKED:
        _, forbidden, behind = record.reason.partition("forbidden: ")  # its places follow from a read that was forbidden
        _, flag, mode = record.reason.partition("--secrets ")
        needs = behind if forbidden else f"--secrets {'named' if mode == 'none' and record.name != 'helm_releases' else 'list'}" if flag else ""
        return Reason(
            record.name, f"not asked: {record.resource}: {record.reason}" if flag else f"not asked: {rule}: {record.reason}".rstrip(": "), needs
        )
    return Reason(record.name, f"{record.reason or 'failed'}: {rule}", "")


def _beside_the_api(record: Record) -> Reason:
    """Why a server beside the API said nothing; its record says itself what would help."""
    said, _, helps = record.reason.removesuffix(")").partition(HELP)
    _, forbidden, behind = said.partition("forbidden: ")  # its places follow from a read that was forbidden
    whom = f" {record.place.name}" if record.place.name else ""
    state = {Outcome.NOT_ASKED: "not asked: ", Outcome.FORBIDDEN: "forbidden: "}.get(record.outcome, "")
    return Reason(record.name, f"{state}{record.resource}{whom}: {said or 'failed'}", helps or (behind if forbidden else ""))
