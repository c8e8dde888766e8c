"""What travels between client and gateway, exactly as it is on the wire.

Everything is a plain dictionary, so a field that this version does not know is kept. Times on a session's clock are
milliseconds of audio (`startMs`); instants are ISO 8601 UTC.
"""

from __future__ import annotations

from typing import Dict, List, Literal, Optional, TypedDict, Union

AudioEncoding = Literal["pcm_s16le", "pcm_f32le", "mulaw", "alaw", "container"]
"""How the bytes of a stream are read; `container`: webm, ogg, mp4, mp3, flac or wav, told by its first bytes."""

SessionState = Literal["PENDING", "IN_PROGRESS", "DONE", "FAILED", "SENT"]
"""`PENDING`: no audio worked on yet. `SENT`: the webhook answered 2xx."""

TranscriptFormat = Literal["json", "text", "srt", "vtt"]
"""`text` has an utterance a line."""


class AudioFormat(TypedDict, total=False):
    """The shape of the audio; 16 kHz mono 16-bit PCM where left out."""

    encoding: AudioEncoding
    sampleRateHz: int
    """4,000–192,000."""
    channels: int
    """1–8, interleaved; mixed down to one unless `channel` picks one."""
    channel: Optional[int]
    """The only channel that is heard, counted from 0."""


class Endpointing(TypedDict, total=False):
    """When an utterance ends."""

    silenceMs: int
    """Silence that ends an utterance: 100–5,000 ms."""
    maxUtteranceMs: int
    """The longest an utterance may get before it is cut: 2,000–28,000 ms."""


class LlmOptions(TypedDict, total=False):
    """What the language model is asked, and when."""

    instructions: str
    trigger: Literal["utterance", "sessionEnd"]
    maxTokens: int


class WebhookOptions(TypedDict):
    """Where the session is sent once it has ended."""

    url: str


class SessionOptions(TypedDict, total=False):
    """What may be asked of a session; whatever is left out takes the gateway's default."""

    language: str
    """What is spoken: BCP 47, or `auto`."""
    task: Literal["transcribe", "translate"]
    """`translate`: the text is English whatever is spoken."""
    model: str
    audio: AudioFormat
    partials: bool
    """Whether hypotheses of unfinished utterances are sent."""
    words: bool
    """Whether finals carry word times."""
    prompt: str
    """Names and terms to expect."""
    endpointing: Endpointing
    llm: Union[bool, LlmOptions]
    """True: summarise at the end."""
    webhook: WebhookOptions
    metadata: Dict[str, str]


class Word(TypedDict):
    """A word on the session's clock; `confidence` is 0–1, or None where the recogniser does not say."""

    text: str
    startMs: int
    endMs: int
    confidence: Optional[float]


class _Final(TypedDict):
    startMs: int
    endMs: int
    text: str
    language: str
    confidence: Optional[float]


class Utterance(_Final, total=False):
    """A finished utterance; `words` only where they were asked for."""

    id: str
    words: List[Word]


class Receipt(TypedDict):
    """What became of every millisecond: `receivedMs = transcribedMs + silenceMs + suppressedMs`."""

    receivedMs: int
    transcribedMs: int
    silenceMs: int
    suppressedMs: int
    finals: int
    lastSeq: int
    endedBy: Literal["client", "timeout", "limit", "shutdown", "error"]


class Failure(TypedDict):
    """A stored account of a failure; `code` is stable."""

    code: str
    message: str


class LlmResponse(TypedDict):
    """An answer of the language model, whole or as far as it got."""

    id: str
    utteranceId: Optional[str]
    text: str
    finishReason: Optional[Literal["stop", "length", "failed"]]


class Llm(TypedDict):
    """The language model's part in a session."""

    state: Literal["pending", "streaming", "done", "failed"]
    responses: List[LlmResponse]


class AudioSummary(TypedDict):
    """How much audio there is, as far as known."""

    durationMs: Optional[int]


class Progress(TypedDict):
    """How far a recording has been worked through."""

    processedMs: int
    durationMs: Optional[int]


class Delivery(TypedDict):
    """How far the webhook is."""

    state: Literal["pending", "sent", "failed"]
    attempts: int
    lastStatus: Optional[int]
    nextAttemptAt: Optional[str]


class Session(TypedDict):
    """One stretch of audio and all that came of it."""

    id: str
    state: SessionState
    source: Literal["live", "recording"]
    createdAt: str
    startedAt: Optional[str]
    finishedAt: Optional[str]
    language: str
    model: str
    metadata: Dict[str, str]
    audio: AudioSummary
    text: str
    utterances: List[Utterance]
    llm: Optional[Llm]
    progress: Optional[Progress]
    webhook: Optional[Delivery]
    receipt: Optional[Receipt]
    error: Optional[Failure]


class SessionPage(TypedDict):
    """Sessions, newest first; `nextCursor` is None on the last page."""

    items: List[Session]
    nextCursor: Optional[str]
