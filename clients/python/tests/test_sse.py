from __future__ import annotations

import random
from typing import List

import pytest

from earshot.sse import SseMessage, SseParser


def parse(*pieces: str) -> List[SseMessage]:
    parser = SseParser()
    return [message for piece in pieces for message in parser.push(piece)]


def test_follows_the_examples_of_the_standard() -> None:
    assert parse("data: YHOO\ndata: +2\ndata: 10\n\n") == [SseMessage("", "message", "YHOO\n+2\n10")]
    stream = ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
    assert parse(stream) == [
        SseMessage("1", "message", "first event"),
        SseMessage("", "message", "second event"),
        SseMessage("", "message", " third event"),
    ]
    assert [message.data for message in parse("data\n\ndata\ndata\n\ndata:")] == ["", "\n"]


def test_keeps_the_last_id_and_takes_one_with_a_null_for_none() -> None:
    ids = [message.id for message in parse("id: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\n")]
    assert ids == ["7", "7", "7"]


def test_skips_a_byte_order_mark_at_the_start_only() -> None:
    assert parse("\ufeffdata: a\n\n\ufeffdata: b\n\n") == [SseMessage("", "message", "a")]


def test_reads_the_reconnection_time_and_only_digits_as_one() -> None:
    parser = SseParser()
    parser.push("retry: 1500\n\nretry: soon\n\n")
    assert parser.retry_s == 1.5


def test_gives_no_event_that_the_end_of_the_stream_cut_off() -> None:
    assert parse("data: whole\n\ndata: half\n") == [SseMessage("", "message", "whole")]


def test_refuses_an_event_without_end() -> None:
    parser = SseParser()
    with pytest.raises(ValueError):
        for _ in range(5):
            parser.push("data: " + "x" * 1024 * 1024)


def test_reads_the_same_wherever_it_is_cut_and_whichever_line_ends_it_uses() -> None:
    chance = random.Random(3)
    # NEL and the line separator end lines for Python, and not in an event stream.
    data = ["안녕하세요", "a\x85b\u2028c", ": no comment", "", " two spaces"]
    for end in ("\n", "\r", "\r\n"):
        for _ in range(100):
            wanted = [SseMessage(str(n), f"e{n}", chance.choice(data)) for n in range(4)]
            text = "".join(
                f": hello{end}id: {id}{end}event: {event}{end}data: {line}{end}{end}" for id, event, line in wanted
            )
            places = sorted({0, len(text), *(chance.randrange(len(text)) for _ in range(8))})
            assert parse(*(text[a:b] for a, b in zip(places, places[1:]))) == wanted
