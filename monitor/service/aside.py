"""Work that may be slow, done aside: a full disk or a reader that dozes never keeps the ward waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS: Final = 10.0
AT_ONCE: Final = 256
"""Items in one call of `work`."""


class Aside(Generic[T]):
    """Works on items in a thread of its own, in order; whoever puts them never waits.

    work: gets the next items, AT_ONCE at most. most: items that may wait; those beyond are dropped. rest_s: so long it
    leaves new items alone once all are worked on: a thread that wakes costs more than most items.
    lost: items that were never worked on. error: what `work` raised; nothing is worked on after it.
    """

    def __init__(self, name: str, work: Callable[[list[T]], None], most: int, rest_s: float = 0.0) -> None:
        self.lost = 0
        self.error: Exception | None = None
        self._work, self._most, self._rest_s = work, most, rest_s
        self._items: deque[T] = deque()
        self._busy = 0
        self._ended = False
        self._ending = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, items: Iterable[T]) -> None:
        """Have these worked on, as soon as what waits before them is done."""
        with self._changed:
            for item in items:
                if self._ended or self.error or len(self._items) + self._busy >= self._most:
                    self.lost += 1
                else:
                    self._items.append(item)
            self._changed.notify_all()

    def close(self, patience_s: float = PATIENCE_SECONDS) -> None:
        """Work on all that waits, and end; what is left once nothing has moved for so long is lost."""
        with self._changed:
            self._ended = True
            self._ending.set()
            self._changed.notify_all()
            while self._thread.is_alive() and (self._items or self._busy):
                if not self._changed.wait(patience_s):
                    self.lost += len(self._items) + self._busy
                    self._items.clear()
                    return
        self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._items and not self._ended:
                    self._changed.wait()
                items = [self._items.popleft() for _ in range(min(AT_ONCE, len(self._items)))]
                if not items:
                    return
                self._busy = len(items)
            try:
                self._work(items)
            except Exception as error:  # whoever owns this looks at `error` and says what it means
                with self._changed:
                    self.error = error
                    self.lost += len(items) + len(self._items)
                    self._items.clear()
                    self._busy = 0
                    self._changed.notify_all()
                return
            with self._changed:
                self._busy = 0
                self._changed.notify_all()
            if self._rest_s and not self._items:
                self._ending.wait(self._rest_s)
