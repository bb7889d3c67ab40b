"""What may be asked at all: reads, and reviews of ourselves. Everything else is refused before it reaches the network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlencode

REVIEWS = frozenset(
    {
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        "/apis/authentication.k8s.io/v1beta1/selfsubjectreviews",
    }
)
_PATH = re.compile(r"/[A-Za-z0-9._~:@!$&'()*+,;=%/-]*")
_QUERY = frozenset(
    {"limit", "continue", "labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch", "timeout", "timeoutSeconds", "verbose"}
)
_SUBRESOURCES = frozenset({"status", "scale"})


class Refused(ValueError):
    """A request this tool never makes: a mistake of ours, or a name from the cluster that is not one."""


def checked_path(path: str) -> str:
    """Return `path` when it is a plain API path to read; refuse dot segments, subresources that act (exec, proxy, …) and watches."""
    segments = path.split("/")[1:]
    if not _PATH.fullmatch(path) or any(unquote(segment) in (".", "..") for segment in segments) or "" in segments[:-1]:
        raise Refused("this is not a path that is asked for")
    match segments:
        case ["api", _, *rest] | ["apis", _, _, *rest] if rest and rest != [""]:
            inside = rest[2:] if rest[0] == "namespaces" and len(rest) > 2 else rest
            if rest[0] in ("watch", "proxy") or len(inside) > 3 or (len(inside) == 3 and inside[2] not in _SUBRESOURCES):
                raise Refused("this path does more than read")
    return path


def checked_query(query: Iterable[tuple[str, str]]) -> str:
    """Return the encoded query; refuse every parameter that is not one of a get or list, above all `watch`."""
    pairs = [(name, str(value)) for name, value in query]
    if any(name not in _QUERY for name, _ in pairs):
        raise Refused("this query does more than read")
    return urlencode(pairs)


def checked_review(path: str) -> str:
    """Return `path` when it is one of the reviews of ourselves, the only thing ever posted."""
    if path not in REVIEWS:
        raise Refused("only SelfSubject reviews are posted")
    return path
