"""How long to wait before trying again."""

FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 5.0


def backoff_s(failed: int, random: float, at_least_s: float = 0.0) -> float:
    """Doubles with each failed attempt, with half of each delay left to chance.

    So a gateway coming back is not met by all its clients in the same instant, and none of them returns without a
    pause. `failed` counts attempts since the last success, from 0; `random` is in [0, 1); `at_least_s` is what the
    server asked for, where it did.
    """
    ceiling_s: float = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(failed, 16))
    return at_least_s + (ceiling_s / 2) * (1 + random)
