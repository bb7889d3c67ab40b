"""What is not printed with a value: secrets, and what is too long to be read."""

from __future__ import annotations

from typing import Any, ClassVar


class Discreet:
    """Beside ``msgspec.Struct``: keeps the fields that ``unprinted`` names out of every printed form of a value."""

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]
    unprinted: ClassVar[tuple[str, ...]] = ()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.__struct_fields__ if name not in self.unprinted]

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"
