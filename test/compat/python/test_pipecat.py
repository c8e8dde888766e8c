"""Pipecat's own services for OpenAI and Deepgram, pointed at the gateway by their addresses alone."""

import asyncio

import pytest
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.openai.stt import OpenAIRealtimeSTTService, OpenAISTTService

from speech import KEY, URL, WS_URL, is_what_was_said, pcm, pieces

PIECE_S = 0.04
WITHIN_S = 60


class Listener(FrameProcessor):
    """Keeps what a service says."""

    def __init__(self):
        super().__init__()
        self.finals: list[str] = []
        self.interim = 0
        self.was_said = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, InterimTranscriptionFrame):
            self.interim += 1
        elif isinstance(frame, TranscriptionFrame):
            self.finals.append(frame.text)
            if is_what_was_said(" ".join(self.finals)):
                self.was_said.set()
        await self.push_frame(frame, direction)


async def listen(service: FrameProcessor, tells_of_speech: bool) -> Listener:
    """Speaks to a service in real time until it has said what was said."""
    audio, rate = pcm()
    listener = Listener()
    params = PipelineParams(audio_in_sample_rate=rate)
    task = PipelineTask(Pipeline([service, listener]), params=params, cancel_on_idle_timeout=False)
    running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(task))
    if tells_of_speech:
        await task.queue_frame(VADUserStartedSpeakingFrame())
    for piece in pieces(audio, int(PIECE_S * rate) * 2):
        await task.queue_frame(InputAudioRawFrame(audio=piece, sample_rate=rate, num_channels=1))
        await asyncio.sleep(PIECE_S)
    if tells_of_speech:
        await task.queue_frame(VADUserStoppedSpeakingFrame())
    await asyncio.wait_for(listener.was_said.wait(), WITHIN_S)
    await task.queue_frame(EndFrame())
    await asyncio.wait_for(running, WITHIN_S)
    return listener


async def test_deepgram():
    listener = await listen(DeepgramSTTService(api_key=KEY, base_url=WS_URL), tells_of_speech=False)
    assert listener.interim > 0


@pytest.mark.parametrize("turn_detection", [None, {"type": "server_vad"}, False])
async def test_openai_realtime(turn_detection):
    service = OpenAIRealtimeSTTService(
        api_key=KEY, base_url=f"{WS_URL}/v1/realtime", turn_detection=turn_detection
    )
    await listen(service, tells_of_speech=turn_detection is False)


async def test_openai_segments():
    service = OpenAISTTService(api_key=KEY, base_url=f"{URL}/v1")
    await listen(service, tells_of_speech=True)
