"""What can go wrong, by name."""

from __future__ import annotations

from typing import Optional

from .types import Session

CLIENT_CODES = frozenset(
    {
        # No answer at all: wrong address, nothing running there, no network.
        "unreachable",
        # The connection was lost and could not be had again in time.
        "connection_lost",
        # The session went on without this client and cannot be joined again; `session` says what was stored.
        "not_resumable",
        # An answer that no gateway of this version gives: most likely something else answers at that address.
        "unexpected_answer",
        # Events came faster than they were read, and the bound was reached.
        "reader_too_slow",
        # The stream was given up by its owner.
        "aborted",
    }
)
"""The codes of this side of the wire; every other code is the gateway's own."""

_PASSING = frozenset(
    {
        "unreachable",
        "connection_lost",
        "rate_limited",
        "overloaded",
        "storage_unavailable",
        "shutting_down",
        "internal",
    }
)


class EarshotError(Exception):
    """The one error this library raises. Branch on `code`: it is stable; the message is for people.

    `status` is the HTTP status or the WebSocket close code, `request_id` the gateway's name for the request,
    `retry_after_s` how long to wait where waiting helps, and `session` the session as it stands on the gateway,
    each where there is one.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: Optional[int] = None,
        request_id: Optional[str] = None,
        retry_after_s: Optional[float] = None,
        session: Optional[Session] = None,
    ) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.session = session

    @property
    def may_pass(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return self.code in _PASSING
