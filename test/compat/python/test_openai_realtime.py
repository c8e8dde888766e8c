"""OpenAI's own SDK for Python, over its Realtime interface, pointed at the gateway by its address alone."""

import base64
from array import array

import pytest
from openai import AsyncOpenAI

from speech import KEY, URL, is_what_was_said, pcm, pieces

RATE_HZ = 24_000
PIECE_BYTES = RATE_HZ // 10 * 2

COMPLETED = "conversation.item.input_audio_transcription.completed"
DELTA = "conversation.item.input_audio_transcription.delta"


def client(api_key: str = KEY) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=api_key, base_url=f"{URL}/v1", max_retries=0)


def speech() -> bytes:
    """At the one rate there is for PCM: a straight line from sample to sample is good enough for speech."""
    audio, rate = pcm()
    samples = array("h", audio)

    def at(place: float) -> int:
        before = int(place)
        after = min(before + 1, len(samples) - 1)
        return round(samples[before] + (samples[after] - samples[before]) * (place - before))

    return array("h", (at(index * rate / RATE_HZ) for index in range(len(samples) * RATE_HZ // rate))).tobytes()


async def append(connection, audio: bytes):
    for piece in pieces(audio, PIECE_BYTES):
        await connection.input_audio_buffer.append(audio=base64.b64encode(piece).decode())


def session(**given) -> dict:
    transcription = {"model": "gpt-4o-transcribe", "language": "en"}
    return {"type": "transcription", "audio": {"input": {"transcription": transcription, **given}}}


async def events_until(connection, kind: str) -> list:
    events = []
    async for event in connection:
        assert event.type != "error", event
        events.append(event)
        if event.type == kind:
            return events
    raise AssertionError(f"closed before {kind}")


async def test_turns_detected():
    async with client().realtime.connect(extra_query={"intent": "transcription"}) as connection:
        await events_until(connection, "session.created")
        await connection.session.update(session=session(turn_detection={"type": "server_vad"}))
        await events_until(connection, "session.updated")
        await append(connection, speech())
        events = await events_until(connection, COMPLETED)
        completed = events[-1]
        assert is_what_was_said(completed.transcript)
        assert completed.usage.type == "duration"
        assert "".join(event.delta for event in events if event.type == DELTA) == completed.transcript
        types = [event.type for event in events if event.type != DELTA]
        assert types == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            COMPLETED,
        ]


async def test_committed_by_the_client():
    async with client().realtime.connect(model="gpt-4o-transcribe") as connection:
        await connection.session.update(session=session(turn_detection=None))
        events = await events_until(connection, "session.updated")
        assert events[-1].session.audio.input.turn_detection is None
        await append(connection, speech())
        await connection.input_audio_buffer.commit()
        events = await events_until(connection, COMPLETED)
        assert is_what_was_said(events[-1].transcript)


async def test_cleared():
    async with client().realtime.connect(model="gpt-4o-transcribe") as connection:
        await connection.session.update(session=session(turn_detection=None))
        await events_until(connection, "session.updated")
        await append(connection, speech())
        await connection.input_audio_buffer.clear()
        await events_until(connection, "input_audio_buffer.cleared")
        await append(connection, bytes(2 * RATE_HZ))
        await connection.input_audio_buffer.commit()
        events = await events_until(connection, COMPLETED)
        assert events[-1].transcript == ""


async def test_secret():
    made = await client().realtime.client_secrets.create(
        expires_after={"anchor": "created_at", "seconds": 60}, session=session(turn_detection=None)
    )
    assert made.value.startswith("ek_")
    assert made.session.type == "transcription"
    async with client(made.value).realtime.connect(model="gpt-4o-transcribe") as connection:
        (created,) = await events_until(connection, "session.created")
        assert created.session.audio.input.turn_detection is None
        assert created.session.audio.input.transcription.language == "en"


@pytest.mark.parametrize("event", [{"type": "response.create"}, {"type": "input_audio_buffer.commit"}])
async def test_errors(event):
    async with client().realtime.connect(model="gpt-4o-transcribe") as connection:
        await events_until(connection, "session.created")
        await connection.send({**event, "event_id": "mine"})
        error = await connection.recv()
        assert error.type == "error"
        assert error.error.event_id == "mine"
        assert error.error.type == "invalid_request_error"


async def test_unknown_key():
    async with client("unknown").realtime.connect(model="gpt-4o-transcribe") as connection:
        error = await connection.recv()
        assert error.error.type == "authentication_error"
