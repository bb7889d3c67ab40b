"""A webhook of a chat or of anything: the short form as Slack, Microsoft Teams or a program takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from exivity_audit.collect.deadline import Deadline
from exivity_audit.errors import UsageError
from exivity_audit.publishing.address import in_the_clear
from exivity_audit.publishing.destination import Finished, Trouble
from exivity_audit.publishing.secret import Secret
from exivity_audit.publishing.sender import Request, Sender, connection_to
from exivity_audit.score import Gate

Kind = Literal["slack", "teams", "json"]
When = Literal["always", "not-ready"]
SLACK_TEXT = 3500  # characters after escaping; Slack advises 4,000
TEAMS_TEXT = 16_000  # bytes of text; a message with all its JSON may have 28 KB
JSON_TEXT = 8_000
_NEXT = "make a new webhook there, and put its URL where the secret is kept"
WORDS = dict.fromkeys((401, 403, 404, 410), ("the webhook does not exist or takes nothing any more", _NEXT)) | {
    400: ("it did not take the message", "check that the kind (slack, teams, json) is that of the webhook"),
}


class Webhook(Struct, frozen=True):
    """One webhook; its URL is a secret, so it is read when it is used and shown nowhere."""

    kind: Kind
    url: Secret
    when: When = "always"
    ca_file: Path | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return f"the webhook {self.kind} of {self.url}"

    def publish(self, finished: Finished, deadline: Deadline) -> None:
        """Post the short form. Raises Trouble."""
        if self.when == "not-ready" and finished.card.gate is Gate.READY:
            return
        from exivity_audit.reports.short import render_short

        url = self._url()
        lines = render_short(finished.card, finished.run).splitlines()
        body = json.dumps(MESSAGES[self.kind](lines, finished)).encode()
        with Sender(connection_to(url, self.ca_file), deadline) as sender:
            sender.send(Request("POST", url, body, {"Content-Type": "application/json"}, repeatable=False), WORDS)

    def _url(self) -> str:
        from urllib.parse import urlsplit

        url = self.url.read()
        try:
            parts = urlsplit(url)
            fine = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and url.isascii() and parts.username is None
        except ValueError:
            fine = False
        if not fine:
            raise Trouble(f"what {self.url} holds is no URL of a webhook", "write the URL alone, on one line")
        if in_the_clear(url):
            raise Trouble("the webhook's URL is http, and a secret is not sent in the clear", "use an https URL")
        return url.partition("#")[0]


def webhook_of(text: str, ca_file: Path | None) -> Webhook:
    """``slack=env:NAME`` or ``teams=FILE``. Raises UsageError, which never shows what follows the sign: it may be the URL itself."""
    from exivity_audit.nearest import nearest
    from exivity_audit.publishing.secret import secret_of

    kind, equals, source = text.partition("=")
    if kind not in MESSAGES:
        shown = f" {kind!r}{nearest(kind, MESSAGES)}" if equals and kind.isidentifier() and len(kind) < 20 else ""
        raise UsageError(
            f"--webhook names no kind{shown}", "write slack=env:NAME, teams=FILE or json=FILE; the URL itself is a secret and has no place there"
        )
    return Webhook(kind, secret_of(source, f"--webhook {kind}="), ca_file=ca_file)  # type: ignore[arg-type]  # a key of MESSAGES is a Kind


def _slack(lines: list[str], finished: Finished) -> dict[str, Any]:
    """A fenced text: in it only the three escaped characters mean anything, to Slack and to those who take its messages."""
    shown = [line.replace("`", "'").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in lines]
    return {"text": "```\n" + "\n".join(fitting(shown, SLACK_TEXT, len)) + "\n```", "unfurl_links": False, "unfurl_media": False}


def _teams(lines: list[str], finished: Finished) -> dict[str, Any]:
    """An adaptive card of text runs, in which no Markdown is read."""
    body = [
        {
            "type": "RichTextBlock", "spacing": "None" if number else "Default",
            "inlines": [{"type": "TextRun", "text": line, "fontType": "Monospace", "weight": "Default" if number else "Bolder"}],
        }
        for number, line in enumerate(fitting(lines, TEAMS_TEXT, lambda line: len(json.dumps(line)) + 120))
    ]  # fmt: skip
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "Full"},
    }
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}]}


def _json(lines: list[str], finished: Finished) -> dict[str, Any]:
    """The summary line of ``-o jsonl``, and the short form as text."""
    from exivity_audit.reports.json_lines import summary_line

    return {**summary_line(finished.report), "text": "\n".join(fitting(lines, JSON_TEXT, len))}


MESSAGES: dict[str, Callable[[list[str], Finished], dict[str, Any]]] = {"slack": _slack, "teams": _teams, "json": _json}


def fitting(lines: list[str], most: int, size: Callable[[str], int]) -> list[str]:
    """The lines that fit, whole; where some do not, a last one says how many."""
    found: list[str] = []
    room = most - 40
    for number, line in enumerate(lines):
        room -= size(line) + 1
        if room < 0:
            return [*found, f"… {len(lines) - number} more lines"]
        found.append(line)
    return found
