"""The producer thread of a session: its events come out of a queue of bounded length.

The device is never waited for by who draws; who draws slowly slows the device's thread, not the
picture, and no event is lost between them.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from types import TracebackType

from tinyml.monitor.events import SessionEvent
from tinyml.monitor.session import Session, Tell

_WAITING = 1000  # events that may wait
_LEAVE_S = 3.0  # what stopping the stream on the device may take
_PUT_S = 0.1


class Feed:
    """Runs a session while the `with` block lasts; `next` gives its events with their times."""

    def __init__(self, start: Callable[[Tell], Session]) -> None:
        """`start` makes the session, given whom it tells."""
        self._queue: queue.Queue[tuple[float, SessionEvent]] = queue.Queue(_WAITING)
        self._left = False
        self._error: BaseException | None = None
        self.session = start(self._put)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._left = True
        self.session.stop()
        self._thread.join(_LEAVE_S)

    def stop(self) -> None:
        """Ask the session to end; what it still tells comes before `ended`."""
        self.session.stop()

    def next(self, timeout_s: float) -> tuple[float, SessionEvent] | None:
        """Return the next event and when it happened (monotonic), None where none comes in time."""
        with contextlib.suppress(queue.Empty):
            return self._queue.get(timeout=max(timeout_s, 0.001))
        return None

    @property
    def ended(self) -> bool:
        """Whether there will be no more events; raises what the session raised."""
        if self._thread.is_alive() or not self._queue.empty():
            return False
        if self._error is not None:
            raise self._error
        return True

    def _run(self) -> None:
        try:
            self.session.run()
        except BaseException as error:
            self._error = error

    def _put(self, event: SessionEvent) -> None:
        while not self._left:
            with contextlib.suppress(queue.Full):
                self._queue.put((time.monotonic(), event), timeout=_PUT_S)
                return
