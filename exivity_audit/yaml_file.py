"""YAML files read whole into validated structures; what is wrong is said with file, line and the nearest valid name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

import msgspec
import yaml
from msgspec import Struct

from exivity_audit.errors import UsageError
from exivity_audit.nearest import nearest

Shape = TypeVar("Shape")
LARGEST = 4 * 2**20
LARGEST_FOREIGN = 32 * 2**20
MOST_NODES = 100_000
DEEPEST = 100
_PATH = re.compile(r" - at `([^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")
_BLANK = re.compile(r"Expected `[^`]*`, got `null`")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader (in C where it is there) without timestamps: a date stays text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(path: Path, shape: type[Shape]) -> Shape:
    """The file's content as ``shape``. Raises UsageError; an empty file counts as an empty mapping."""
    return parse_yaml(_text(path), shape, str(path))


def parse_yaml(text: str, shape: type[Shape], name: str) -> Shape:
    """YAML text as ``shape``. Raises UsageError with the name, the line and the nearest valid key."""
    node, content = _loaded(text, name)
    return _converted(content, node, shape, name)


class Entry(Struct, Generic[Shape], frozen=True):
    """An item of a list in a file: its value, or the error that names what is wrong with it, and the line of each of its fields."""

    value: Shape | None
    error: UsageError | None
    lines: dict[str, int]  # by field; "" is the item itself

    def line(self, field: str = "") -> int:
        """The line of a field, or of the item where it has no such field."""
        return self.lines.get(field, self.lines[""])


def read_entries(path: Path, key: str, shape: type[Shape], whole: type[Any]) -> list[Entry[Shape]]:
    """Each item of a file's list on its own, so that one that is wrong hides no other; ``whole`` is the shape of the file.

    Raises UsageError for what is wrong around the list.
    """
    name = str(path)
    node, content = _loaded(_text(path), name)
    items = content.get(key) if isinstance(content, dict) else None
    if not isinstance(items, list):
        _converted(content, node, whole, name)
        return []
    _converted({**content, key: []}, node, whole, name)
    nodes = next(value for label, value in node.value if label.value == key).value  # merged keys stand here too, once content is built
    return [_entry(item, one, shape, name) for item, one in zip(items, nodes, strict=True)]


def _entry(item: Any, node: Any, shape: type[Shape], name: str) -> Entry[Shape]:
    lines = {"": node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        lines |= {str(label.value): label.start_mark.line + 1 for label, _ in node.value}
    try:
        return Entry(_converted(item, node, shape, name), None, lines)
    except UsageError as error:
        return Entry(None, error, lines)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:  # of a pipe or device the size is not known before
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST >> 20} MiB", "name the right file")
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}", "name a file that exists and may be read") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text: byte {error.start}", "save it as UTF-8") from error


def _loaded(text: str, name: str) -> tuple[Any, Any]:
    """The document's node and content. Raises UsageError."""
    try:
        refuse_deep(text)
        loader = Loader(text)
        node = loader.get_single_node()
        _count(node, name)
        return node, loader.construct_document(node) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError(f"{name}:{mark.line + 1 if mark else 1}: not valid YAML: {error.problem or error.context}", "correct the line") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{name}: not valid YAML: {str(error).splitlines()[0] if str(error) else 'nested too deep'}", "correct the file") from error


def refuse_bombs(path: Path) -> None:
    """Refuse a file that would take memory or time without end in a YAML reader other than ours: nesting, aliases of aliases.

    Raises UsageError, YAMLError and OSError.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_FOREIGN + 1)
    if len(content) > LARGEST_FOREIGN:
        raise UsageError(f"{path} is larger than {LARGEST_FOREIGN >> 20} MiB", "name the right file")
    text = content.decode("utf-8", "replace")
    refuse_deep(text)
    if "*" in text:
        _count(Loader(text).get_single_node(), str(path), once=False)


def refuse_deep(text: str) -> None:
    """Raises YAMLError for text nested over 100 deep: the C loader recurses for each level and would take the whole process down."""
    if sum(text.count(opener) for opener in ("[", "{", "- ", "? ", ": ")) <= DEEPEST:
        return
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise yaml.YAMLError(f"nested over {DEEPEST} deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _converted(content: Any, node: Any, shape: type[Shape], name: str) -> Shape:
    try:
        return msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        message = str(error)
        found = _PATH.search(message)
        place = found.group(1) if found else "$"
        field = _UNKNOWN.search(message)
        line = _line(node, place, field.group(1) if field else None)
        where = place.removeprefix("$.")
        if field:
            sentence = f"unknown key {field.group(1)!r}{nearest(field.group(1), _fields(shape, place))}"
        elif _BLANK.match(message) and where != "$":
            sentence = f"{where} is blank"
        else:
            sentence = _PATH.sub(f" at {where}", message)
        raise UsageError(f"{name}:{line}: {sentence}", "fill it in" if sentence.endswith(" is blank") else "correct the line") from error


def _count(node: Any, name: str, *, once: bool = True) -> None:
    """Refuse alias bombs and, with ``once``, duplicate keys before anything is built."""
    total = 0
    open_nodes = [node]
    while open_nodes:
        one = open_nodes.pop()
        total += 1
        if total > MOST_NODES:
            raise UsageError(f"{name} holds more than {MOST_NODES} values (aliases count each time)", "name the right file")
        if isinstance(one, yaml.SequenceNode):
            open_nodes.extend(one.value)
        elif isinstance(one, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in one.value:
                if isinstance(key, yaml.ScalarNode):
                    if once and key.value in keys:
                        raise UsageError(f"{name}:{key.start_mark.line + 1}: the key {key.value!r} stands twice", "keep one of them")
                    keys.add(key.value)
                open_nodes.append(value)


def _line(node: Any, place: str, field: str | None) -> int:
    """The line of a path such as ``$.sites[0].role``, or of an unknown key below it."""
    for key, index in _STEP.findall(place):
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if key in (name.value, "...") or (index == "...")), node)
        elif isinstance(node, yaml.SequenceNode) and index.isdigit() and int(index) < len(node.value):
            node = node.value[int(index)]
    if field is not None and isinstance(node, yaml.MappingNode):
        for name, _ in node.value:
            if name.value == field:
                return int(name.start_mark.line) + 1
    return int(node.start_mark.line) + 1 if node is not None else 1


def _fields(shape: Any, place: str) -> list[str]:
    """The valid keys at a path of a structure."""
    for key, index in _STEP.findall(place):
        if index:
            continue  # the structure inside a list is found by _struct below
        shape = _struct(shape)
        hints = {field.encode_name: field.type for field in msgspec.structs.fields(shape)} if shape else {}
        shape = hints.get(key, shape)
    found = _struct(shape)
    return [field.encode_name for field in msgspec.structs.fields(found)] if found else []


def _struct(shape: Any) -> Any:
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        return shape
    return next((found for item in get_args(shape) if (found := _struct(item))), None)
