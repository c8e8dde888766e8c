from __future__ import annotations

import random
from typing import List

from earshot.audio_tail import AudioTail


def drain(tail: AudioTail, max_bytes: int) -> List[int]:
    """Everything there is to send, with commits as -1."""
    sent: List[int] = []
    while (piece := tail.take(max_bytes)) is not None:
        sent.extend([-1] if piece == "commit" else piece)
    return sent


def test_sends_in_order_in_frames_no_larger_than_asked() -> None:
    tail = AudioTail(1000)
    tail.append(bytes(range(10)))
    tail.append(bytes(range(10, 15)))
    assert tail.take(4) == bytes(range(4))
    assert drain(tail, 4) == list(range(4, 15))


def test_sends_again_from_any_place_still_held() -> None:
    tail = AudioTail(1000)
    tail.append(bytes(range(100)))
    drain(tail, 30)
    tail.forget(40)
    assert not tail.rewind(39)
    assert not tail.rewind(101)
    assert tail.rewind(55)
    assert drain(tail, 30) == list(range(55, 100))


def test_keeps_a_commit_between_the_bytes_where_it_was_made() -> None:
    tail = AudioTail(1000)
    tail.append(bytes([0, 1, 2, 3]))
    tail.commit()
    tail.commit()
    tail.append(bytes([4, 5, 6, 7]))
    assert drain(tail, 3) == [0, 1, 2, 3, -1, 4, 5, 6, 7]
    tail.rewind(2)
    assert drain(tail, 3) == [2, 3, -1, 4, 5, 6, 7]
    tail.rewind(4)
    assert drain(tail, 3) == [4, 5, 6, 7]


def test_forgets_what_was_sent_when_full_and_refuses_what_was_not() -> None:
    tail = AudioTail(10)
    assert tail.append(bytes(range(8)))
    assert not tail.append(bytes(3))
    drain(tail, 100)
    assert tail.append(bytes(range(8, 14)))
    assert tail.held_bytes == 10
    assert not tail.rewind(3)
    assert tail.rewind(4)
    assert drain(tail, 100) == list(range(4, 14))


def test_never_sends_a_byte_twice_or_out_of_order_but_by_rewinding() -> None:
    chance = random.Random(7)
    for _ in range(300):
        tail = AudioTail(100)
        added = following = 0
        for _ in range(60):
            kind = chance.choice(["append", "take", "forget", "rewind", "commit"])
            count = chance.randrange(400) if kind in ("forget", "rewind") else chance.randrange(1, 50)
            if kind == "append" and tail.append(bytes((added + n) % 256 for n in range(count))):
                added += count
            elif kind == "commit":
                tail.commit()
            elif kind == "forget":
                tail.forget(count)
            elif kind == "rewind" and tail.rewind(count):
                following = count
            elif kind == "take":
                piece = tail.take(count)
                if isinstance(piece, bytes):
                    assert piece == bytes((following + n) % 256 for n in range(len(piece)))
                    following += len(piece)
            assert tail.unsent_bytes == added - following
            assert tail.held_bytes <= 100
