"""LiveKit Agents' own plug-ins for OpenAI and Deepgram, pointed at the gateway by their addresses alone."""

import asyncio

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import stt
from livekit.agents.utils import http_context
from livekit.plugins import deepgram, openai

from speech import KEY, URL, is_what_was_said, pcm, pieces


WITHIN_S = 60


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def context():
    """What LiveKit opens around a job: plug-ins take their HTTP session from it."""
    async with http_context.open():
        yield


def frames():
    audio, rate = pcm()
    for piece in pieces(audio, rate // 25 * 2):
        yield rtc.AudioFrame(piece, rate, 1, len(piece) // 2)


async def heard(stream: stt.RecognizeStream) -> list[stt.SpeechEvent]:
    """Speaks in real time, until what was said is told for good and the silence after it too."""

    async def speak():
        for frame in frames():
            stream.push_frame(frame)
            await asyncio.sleep(frame.duration)
        stream.end_input()

    speaking = asyncio.create_task(speak())
    events = []
    async with asyncio.timeout(WITHIN_S):
        async for event in stream:
            events.append(event)
            # Each plug-in has its own order of the two.
            if is_what_was_said(finals(events)) and has_ended(events):
                break
    await speaking
    await stream.aclose()
    return events


def has_ended(events: list[stt.SpeechEvent]) -> bool:
    return any(event.type == stt.SpeechEventType.END_OF_SPEECH for event in events)


def finals(events: list[stt.SpeechEvent]) -> str:
    is_final = stt.SpeechEventType.FINAL_TRANSCRIPT
    return " ".join(event.alternatives[0].text for event in events if event.type == is_final)


async def test_deepgram_stream(http):
    plugin = deepgram.STT(api_key=KEY, base_url=f"{URL}/v1/listen", http_session=http)
    events = await heard(plugin.stream())
    assert is_what_was_said(finals(events))
    types = [event.type for event in events]
    assert stt.SpeechEventType.INTERIM_TRANSCRIPT in types
    assert types.index(stt.SpeechEventType.START_OF_SPEECH) < types.index(stt.SpeechEventType.FINAL_TRANSCRIPT)
    assert stt.SpeechEventType.END_OF_SPEECH in types


async def test_deepgram_recording(http):
    plugin = deepgram.STT(api_key=KEY, base_url=f"{URL}/v1/listen", http_session=http)
    event = await plugin.recognize(list(frames()))
    assert is_what_was_said(event.alternatives[0].text)


async def test_openai_recording():
    plugin = openai.STT(api_key=KEY, base_url=f"{URL}/v1")
    event = await plugin.recognize(list(frames()))
    assert is_what_was_said(event.alternatives[0].text)


async def test_openai_realtime(context):
    plugin = openai.STT(api_key=KEY, base_url=f"{URL}/v1", use_realtime=True)
    events = await heard(plugin.stream())
    assert is_what_was_said(finals(events))
    await plugin.aclose()
