"""OpenAI's own client for Python, unmodified: transcriptions, translations, models."""

import asyncio

import openai
import pytest
from speech import FIXTURES, KEY, SPEECH, URL, is_what_was_said

FRENCH = FIXTURES / "fr-only-participant.wav"
MODEL = "whisper-1"


@pytest.fixture
def client():
    with openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
        yield client


def test_transcribes_a_file_from_the_disk(client):
    with SPEECH.open("rb") as file:
        answer = client.audio.transcriptions.create(file=file, model=MODEL)
    assert is_what_was_said(answer.text)
    assert answer.usage.type == "duration"
    assert answer.usage.seconds > 0


@pytest.mark.parametrize("form", ["mp3", "ogg", "flac", "webm"])
def test_transcribes_containers_from_memory(client, form):
    audio = (FIXTURES / "containers" / f"speech.{form}").read_bytes()
    answer = client.audio.transcriptions.create(file=(f"speech.{form}", audio), model="gpt-4o-transcribe")
    assert "young" in answer.text.lower()


def test_reads_text_subrip_and_webvtt_as_strings(client):
    def answer(form):
        return client.audio.transcriptions.create(file=SPEECH, model=MODEL, response_format=form)

    assert is_what_was_said(answer("text"))
    assert answer("srt").startswith("1\n00:00:")
    assert answer("vtt").startswith("WEBVTT\n")


def test_reads_verbose_json_with_segments_and_words(client):
    answer = client.audio.transcriptions.create(
        file=SPEECH,
        model=MODEL,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
        language="en",
        temperature=0,
        prompt="Jane Austen.",
    )
    assert answer.language == "english"
    assert "".join(segment.text for segment in answer.segments) == answer.text
    assert all(segment.avg_logprob <= 0 for segment in answer.segments)
    ends = [word.end for word in answer.words]
    assert ends == sorted(ends)
    assert ends[-1] <= answer.duration


def test_streams_deltas_that_make_the_text(client):
    stream = client.audio.transcriptions.create(
        file=SPEECH,
        model="gpt-4o-mini-transcribe",
        stream=True,
        chunking_strategy={"type": "server_vad", "silence_duration_ms": 300},
    )
    events = list(stream)
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    done = [event for event in events if event.type == "transcript.text.done"]
    assert [event.text for event in done] == ["".join(deltas)]
    assert is_what_was_said(done[0].text)


def test_awaits_and_streams_without_blocking():
    async def both():
        async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
            whole = await client.audio.transcriptions.create(file=SPEECH, model=MODEL)
            stream = await client.audio.transcriptions.create(file=SPEECH, model=MODEL, stream=True)
            return whole.text, [event async for event in stream][-1].text

    whole, streamed = asyncio.run(both())
    assert whole == streamed


def test_puts_french_into_english(client):
    answer = client.audio.translations.create(file=FRENCH, model=MODEL)
    assert "only participant" in answer.text
    assert "conference" in answer.text
    verbose = client.audio.translations.create(file=FRENCH, model=MODEL, response_format="verbose_json")
    assert (verbose.language, verbose.text) == ("english", answer.text)


def test_lists_models(client):
    names = [model.id for model in client.models.list()]
    assert MODEL in names
    assert client.models.retrieve(names[0]).id == names[0]


def test_raises_the_classes_it_has_for_what_is_wrong(client):
    create = client.audio.transcriptions.create
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").models.list()
    with pytest.raises(openai.NotFoundError) as unknown:
        create(file=SPEECH, model="whisper-9")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as logprobs:
        create(file=SPEECH, model=MODEL, include=["logprobs"])
    assert logprobs.value.param == "include"
    with pytest.raises(openai.BadRequestError) as undecodable:
        create(file=("page.wav", b"<p>No audio here.</p>"), model=MODEL)
    assert (undecodable.value.code, undecodable.value.param) == ("audio_undecodable", "file")
    with pytest.raises(openai.BadRequestError) as empty:
        create(file=("empty.wav", b""), model=MODEL)
    assert empty.value.param == "file"
