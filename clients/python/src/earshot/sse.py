"""Server-sent events, parsed piece by piece."""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional

_MAX_EVENT_CHARS = 4 * 1024 * 1024
_LINE_END = re.compile(r"\r\n|\r|\n")


class SseMessage(NamedTuple):
    """One dispatched event; `id` is the last one seen so far, empty where there was none yet."""

    id: str
    event: str
    data: str


class SseParser:
    """Parses `text/event-stream`, wherever the pieces are cut (also between CR and LF).

    WHATWG HTML, section 9.2.6, "Interpreting an event stream". Lines end at CR and LF only, unlike in
    `str.splitlines`.
    """

    def __init__(self) -> None:
        self.retry_s: Optional[float] = None
        """The reconnection time the stream asked for last."""
        self._unfinished = ""
        self._skip_line_feed = False
        self._started = False
        self._data: List[str] = []
        self._held_chars = 0
        self._event = ""
        self._id = ""

    def push(self, text: str) -> List[SseMessage]:
        """Takes the next piece of decoded text and gives the events it completes.

        Raises ValueError where one event grows past 4 Mi characters.
        """
        if not text:
            return []
        rest = text[1:] if self._skip_line_feed and text[0] == "\n" else text
        self._skip_line_feed = text.endswith("\r")
        if not self._started and rest:
            self._started = True
            rest = rest[1:] if rest[0] == "\ufeff" else rest
        lines = _LINE_END.split(rest)
        lines[0] = self._unfinished + lines[0]
        self._unfinished = lines.pop()
        messages = [message for line in lines if (message := self._line(line))]
        if len(self._unfinished) + self._held_chars > _MAX_EVENT_CHARS:
            raise ValueError(f"an event of the stream is longer than {_MAX_EVENT_CHARS} characters")
        return messages

    def _line(self, line: str) -> Optional[SseMessage]:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if field == "data":
            self._data.append(value)
            self._held_chars += len(value) + 1
        elif field == "event":
            self._event = value
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and re.fullmatch(r"[0-9]+", value):
            self.retry_s = int(value) / 1000
        return None

    def _dispatch(self) -> Optional[SseMessage]:
        message = SseMessage(self._id, self._event or "message", "\n".join(self._data)) if self._data else None
        self._data = []
        self._held_chars = 0
        self._event = ""
        return message
