"""What is kept of a broker's configuration: of files that may hold passwords, the few settings that are judged."""

from __future__ import annotations

import re
from typing import Any

from exivity_audit.collect.public import OTHER

QUEUE_TYPES = {"quorum": "quorum", "classic": "classic", "stream": "stream", "rabbit_quorum_queue": "quorum", "rabbit_classic_queue": "classic"}
_MILLISECONDS = re.compile(r"\d{1,15}")
_TERM_TIMEOUT = re.compile(r"\{\s*consumer_timeout\s*,\s*([\w.]{1,20})\s*\}")
_TERM_TYPE = re.compile(r"\{\s*default_queue_type\s*,\s*(?:<<)?\"?'?(\w{1,30})\"?'?(?:>>)?\s*\}")


def _queue_type(text: str) -> str:
    return QUEUE_TYPES.get(text.strip("'\"").lower(), OTHER)


def _timeout(text: str) -> str:
    return text if _MILLISECONDS.fullmatch(text) else "undefined" if text in ("undefined", "infinity", "false") else OTHER


_SETTINGS = {"default_queue_type": _queue_type, "consumer_timeout": _timeout}


def broker_settings(value: Any) -> Any:
    """``rabbitmq.conf``: the default queue type and the consumer timeout, as the last line of each says; nothing else."""
    if not isinstance(value, str):
        return None if value is None else {"malformed": type(value).__name__}
    kept: dict[str, str] = {}
    for line in value.splitlines():
        key, equals, text = line.partition("#")[0].partition("=")
        cut = _SETTINGS.get(key.strip())
        if equals and cut is not None:
            kept[key.strip()] = cut(text.strip())
    return kept


def broker_terms(value: Any) -> Any:
    """``advanced.config``: the same settings where they stand there as Erlang terms; nothing else."""
    if not isinstance(value, str):
        return None if value is None else {"malformed": type(value).__name__}
    text = "\n".join(line.partition("%")[0] for line in value.splitlines())
    kept: dict[str, str] = {}
    for key, pattern, cut in (("consumer_timeout", _TERM_TIMEOUT, _timeout), ("default_queue_type", _TERM_TYPE, _queue_type)):
        found = pattern.findall(text)
        if found:
            kept[key] = cut(found[-1])
    return kept


def broker_policy(value: Any) -> Any:
    """The definition of a Policy: whether it mirrors classic queues, and the consumer timeout it sets; nothing else."""
    if not isinstance(value, dict):
        return None if value is None else {"malformed": type(value).__name__}
    kept: dict[str, Any] = {"ha-mode": True} if "ha-mode" in value else {}
    timeout = value.get("consumer-timeout")
    if isinstance(timeout, int) and not isinstance(timeout, bool):
        kept["consumer-timeout"] = str(timeout)
    return kept


def queue_arguments(value: Any) -> Any:
    """The arguments of a Queue: the type that they ask for; nothing else."""
    if not isinstance(value, dict):
        return None if value is None else {"malformed": type(value).__name__}
    kind = value.get("x-queue-type")
    return {"x-queue-type": _queue_type(kind)} if isinstance(kind, str) else {}
