from __future__ import annotations

import random
from dataclasses import replace
from typing import Optional

import pytest

from earshot import EarshotError
from earshot.connection import Attempt, Circumstances, GiveUp, Loss, Retry, after_loss

NOW = Circumstances(now_s=1.0, random=0.5, patience_s=60.0, resumable=True)
FIRST = Attempt(resuming=False, failed=0, until_s=10.0)
AGAIN = Attempt(resuming=True, failed=1, until_s=30.0)

# What follows a close code, where the connection was being opened, opened again, or open. None: another attempt.
TABLE = {
    1000: (None, None, None),
    1001: (None, None, None),
    1002: ("bad_message", "bad_message", "bad_message"),
    1006: (None, None, None),
    1009: ("frame_too_large", "frame_too_large", "frame_too_large"),
    1011: (None, None, None),
    1012: (None, None, None),
    1013: (None, None, None),
    4400: ("bad_message", "bad_message", "bad_message"),
    4401: ("unauthorized", "unauthorized", "unauthorized"),
    4404: ("not_found", "not_found", "not_found"),
    4408: ("idle_timeout", "idle_timeout", "idle_timeout"),
    4409: ("replaced", "replaced", "replaced"),
    4410: ("session_ended", "not_resumable", "session_ended"),
    4415: ("audio_undecodable", "audio_undecodable", "audio_undecodable"),
}


@pytest.mark.parametrize("code", TABLE)
@pytest.mark.parametrize("place,attempt", list(enumerate([FIRST, AGAIN, None])))
def test_a_close_code_leads_to_another_attempt_or_to_its_error(
    code: int, place: int, attempt: Optional[Attempt]
) -> None:
    follows = after_loss(attempt, Loss(code), NOW)
    wanted = TABLE[code][place]
    if wanted is None:
        assert isinstance(follows, Retry)
        assert follows.attempt.resuming == (attempt is not FIRST)
    else:
        assert isinstance(follows, GiveUp)
        assert (follows.error.code, follows.error.status) == (wanted, code)


@pytest.mark.parametrize("attempt", [AGAIN, None])
def test_takes_the_session_back_once_from_a_connection_of_its_own(attempt: Optional[Attempt]) -> None:
    lost = after_loss(None, Loss(1006), NOW)
    assert isinstance(lost, Retry)
    haunted = replace(NOW, ghosts_until_s=lost.ghosts_until_s)
    back = after_loss(attempt, Loss(4409), haunted)
    assert isinstance(back, Retry) and back.attempt.resuming
    for later in (replace(NOW, ghosts_until_s=back.ghosts_until_s), replace(haunted, now_s=62.0)):
        assert isinstance(after_loss(None, Loss(4409), later), GiveUp)


def test_what_the_gateway_said_goes_before_what_its_code_means() -> None:
    said = EarshotError("unauthorized", "the token has expired")
    follows = after_loss(FIRST, Loss(4401, said), NOW)
    assert isinstance(follows, GiveUp) and follows.error is said


def test_waits_at_least_as_long_as_the_gateway_asks() -> None:
    busy = EarshotError("overloaded", "too busy", retry_after_s=4.0)
    follows = after_loss(FIRST, Loss(1013, busy), NOW)
    assert isinstance(follows, Retry) and follows.delay_s >= 4.0


def test_gives_up_when_patience_is_over_with_what_the_gateway_said_last() -> None:
    late = replace(NOW, now_s=29.99)
    busy = EarshotError("overloaded", "too busy")
    follows = after_loss(AGAIN, Loss(1013, busy), late)
    assert isinstance(follows, GiveUp) and follows.error is busy
    unsaid = after_loss(AGAIN, Loss(1006), late)
    assert isinstance(unsaid, GiveUp) and unsaid.error.code == "connection_lost"


def test_does_not_take_up_a_container_again() -> None:
    follows = after_loss(None, Loss(1006), replace(NOW, resumable=False))
    assert isinstance(follows, GiveUp) and follows.error.code == "not_resumable"


def test_never_waits_beyond_its_patience() -> None:
    chance = random.Random(11)
    for _ in range(500):
        now_s, attempt = 0.0, FIRST
        while True:
            now = replace(NOW, now_s=now_s, random=chance.random())
            follows = after_loss(attempt, Loss(chance.choice([1006, 1012, 1013])), now)
            if isinstance(follows, GiveUp):
                break
            now_s += follows.delay_s
            assert now_s <= follows.attempt.until_s
            attempt = follows.attempt
