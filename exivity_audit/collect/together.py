"""A few questions asked at once, where none waits for another's answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class _Beside(threading.Thread):
    """One question in a thread of its own; a run that ends does not wait for it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__(name="beside", daemon=True)
        self._call = call
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.value = self._call()
        except BaseException as error:
            self.error = error


def together(first: Callable[[], Any], *others: Callable[[], Any]) -> list[Any]:
    """The answers in order. Raises what the first of them raises, in order, and then waits for none behind it."""
    beside = [_Beside(call) for call in others]
    for one in beside:
        one.start()
    answers = [first()]
    for one in beside:
        one.join()
        if one.error is not None:
            raise one.error
        answers.append(one.value)
    return answers
