"""What follows when a live stream's connection is lost: a pure function of what is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from .backoff import backoff_s
from .errors import EarshotError

LOST = 1006
"""The close code of a connection that ended without one (RFC 6455, section 7.1.5)."""

_REPLACED = 4409

_GHOSTS_S = 60.0
"""How late a connection may arrive that a network held up: about as long as systems try to get it through."""

_PROTOCOL_ERRORS = frozenset({1002, 1003, 1007, 1008, 1009, 1010})

_REFUSALS = {
    1009: ("frame_too_large", "a frame was larger than the gateway allows"),
    4401: ("unauthorized", "the gateway does not accept the key"),
    4404: ("not_found", "there is no such session"),
    4408: ("idle_timeout", "the session was idle, or went on, for too long"),
    _REPLACED: ("replaced", "another connection took over the session"),
    4410: ("session_ended", "the session has ended or was deleted"),
    4415: ("audio_undecodable", "the audio cannot be decoded"),
}


@dataclass(frozen=True)
class Attempt:
    """A connection that is not there yet."""

    resuming: bool
    """Whether audio flowed before: the session is to be taken up again, not begun."""
    failed: int
    """How many attempts have failed in a row."""
    until_s: float
    """When to give up."""


@dataclass(frozen=True)
class Loss:
    """How a connection ended: the close code, and what the gateway said just before, where it said something."""

    code: int
    error: Optional[EarshotError] = None


@dataclass(frozen=True)
class Circumstances:
    """Time, chance and what is possible."""

    now_s: float
    random: float
    """In [0, 1)."""
    patience_s: float
    """How long a lost connection is tried again."""
    resumable: bool
    """Whether audio already sent can be sent again: not so for containers, which have no place to go on from."""
    ghosts_until_s: float = 0.0
    """Until when a connection of our own, given up here, may reach the gateway late and take the session over."""


@dataclass(frozen=True)
class Retry:
    """Connect again after a pause."""

    delay_s: float
    attempt: Attempt
    ghosts_until_s: float
    """For the circumstances of the next loss."""


@dataclass(frozen=True)
class GiveUp:
    """Trying again would not help, or no longer."""

    error: EarshotError


def after_loss(attempt: Optional[Attempt], loss: Loss, now: Circumstances) -> Union[Retry, GiveUp]:
    """Decides what follows; `attempt` is None where the connection was open and audio flowed."""
    was_open = attempt is None
    before = attempt or Attempt(resuming=True, failed=0, until_s=now.now_s + now.patience_s)
    # Who is replaced by a connection of its own takes the session back, once.
    by_ghost = loss.code == _REPLACED and now.now_s < now.ghosts_until_s
    if _is_refusal(loss.code) and not by_ghost:
        error = loss.error or _refusal_of(loss.code)
        if before.resuming and not was_open and loss.code == 4410:
            return GiveUp(_not_resumable(error.message, loss.code))
        return GiveUp(error)
    if before.resuming and not now.resumable:
        return GiveUp(_not_resumable("a container that broke off has no place to go on from", None))
    asked_s = (loss.error.retry_after_s if loss.error else None) or 0.0
    delay_s = backoff_s(before.failed, now.random, min(asked_s, now.patience_s))
    if now.now_s + delay_s > before.until_s:
        message = "the gateway could not be reached again in time"
        return GiveUp(loss.error or EarshotError("connection_lost", message, status=loss.code))
    ghosts_until_s = 0.0 if by_ghost else now.now_s + _GHOSTS_S
    return Retry(delay_s, Attempt(before.resuming, before.failed + 1, before.until_s), ghosts_until_s)


def _is_refusal(code: int) -> bool:
    """Whether trying again would be answered the same way: all of the gateway's own codes, and protocol errors."""
    return 4000 <= code < 5000 or code in _PROTOCOL_ERRORS


def _refusal_of(code: int) -> EarshotError:
    fallback = ("bad_message", f"the gateway closed the connection with code {code}")
    name, message = _REFUSALS.get(code, fallback)
    return EarshotError(name, message, status=code)


def _not_resumable(reason: str, status: Optional[int]) -> EarshotError:
    return EarshotError("not_resumable", f"the session cannot be taken up again: {reason}", status=status)
