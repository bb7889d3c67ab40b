"""Turns one HTTP response into an answer: what its status, headers and body mean, in the words of the failures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from exivity_audit.collect.answer import Answer, Failure, Kind
from exivity_audit.collect.body import BodyError, Parse, is_html, parse
from exivity_audit.collect.retry import http_date
from exivity_audit.errors import one_line

_KINDS: dict[int, Kind] = {401: "unauthorized", 403: "forbidden", 404: "not-found", 410: "gone", 429: "throttled"}
_WORDS: dict[str, str] = {
    "unauthorized": "the server does not accept the credentials",
    "forbidden": "the account may not read this",
    "not-found": "the server has no such thing",
    "gone": "the list changed too much while it was read",
    "throttled": "the server asks for fewer requests",
}
_HINTS: dict[str, str] = {
    "unauthorized": "Log in again, or have the token or certificate renewed.",
    "throttled": "Try again later, or with a longer --deadline.",
    "gone": "Try again.",
}
_PROOF = frozenset({403, 404, 410})  # from these something is concluded: they must come from Kubernetes, a proxy's page proves nothing
_PROXY_HINT = "Check that the server in the kubeconfig is the API server itself, and that no proxy or gateway asks for a login."


def interpret(
    status: int, content_type: str, date: str | None, body: bytes | bytearray, scrub: Callable[[str], str], parsing: Parse = parse
) -> Answer:
    """Return the answer a complete response means; `scrub` takes known secrets out of texts of the server, `parsing` parses a success."""
    when = http_date(date)
    if 300 <= status < 400:
        said = "a redirect came, such as to a login page; it is not followed"
        return Answer(status, None, "Redirect", "", when, Failure("malformed", status, said, _PROXY_HINT))
    if status == 404 and body.strip() == b"404 page not found":  # the API server's plain answer for a path or group it does not know
        return Answer(status, None, "", "", when, by_status(status))
    try:
        parsed = (parsing if status == 200 else parse)(content_type, body)
    except BodyError as error:
        return _unreadable(status, str(error), is_html(content_type, body), when)
    is_status = parsed.get("kind") == "Status" and parsed.get("apiVersion") == "v1"
    if status in (200, 201):
        if not (is_status and parsed.get("status") == "Failure"):
            return Answer(status, parsed, "", "", when, None)
        code = parsed.get("code")
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
    reason = one_line(parsed.get("reason") or "", 80) if is_status else ""
    message = scrub(one_line(parsed.get("message") or "", 300)) if is_status else ""
    if status in _PROOF and not is_status:
        return Answer(status, None, "", "", when, Failure("malformed", status, f"a {status} came that is not one of the Kubernetes API", _PROXY_HINT))
    return Answer(status, parsed if is_status else None, scrub(reason), message, when, by_status(status))


def by_status(status: int) -> Failure:
    """Return the failure an HTTP status other than success means."""
    kind: Kind = _KINDS.get(status, "server")
    words = _WORDS.get(kind) or (
        f"the server answers with an error ({status})" if status >= 400 else f"the answer has an unexpected status ({status})"
    )
    hint = _HINTS.get(kind, "Look at the API server's health, and try again." if status >= 500 else "")
    return Failure(kind, status, words, hint)


def _unreadable(status: int, said: str, html: bool, date: datetime | None) -> Answer:
    if status in _PROOF or 200 <= status < 300:
        return Answer(
            status,
            None,
            "",
            "",
            date,
            Failure("malformed", status, said, _PROXY_HINT if html else "Try again; check what stands between the server and here."),
        )
    failure = by_status(status)
    if html and status != 401:
        failure = Failure(failure.kind, status, f"{failure.reason}, on an HTML page", failure.hint or _PROXY_HINT)
    return Answer(status, None, "", "", date, failure)
