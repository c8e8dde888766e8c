/** What a client may ask of a session, after validation: every default filled in. */

/** How the bytes of a stream are to be read. `container`: webm, ogg, mp4, mp3, flac, wav, told by their first bytes. */
export type AudioEncoding = 'pcm_s16le' | 'pcm_f32le' | 'mulaw' | 'alaw' | 'container';

/** The declared shape of incoming audio. For `container`, rate and channels come from the container itself. */
export interface AudioFormat {
  readonly encoding: AudioEncoding;
  /** 4,000–192,000. */
  readonly sampleRateHz: number;
  /** 1–8, interleaved; mixed down to one unless `channel` picks one. */
  readonly channels: number;
  /** The only channel that is heard, counted from 0; null for all. Sessions stored by earlier versions lack it. */
  readonly channel?: number | null;
}

/** When an utterance ends. */
export interface EndpointingOptions {
  /** Silence that ends an utterance: 100–5,000 ms. */
  readonly silenceMs: number;
  /** The longest an utterance may get before it is cut: 2,000–28,000 ms (Whisper's window is 30 s). */
  readonly maxUtteranceMs: number;
}

/** What the language model is asked, and when. */
export interface LlmOptions {
  /** The system instruction; the transcript follows as the user's message. */
  readonly instructions: string;
  readonly trigger: 'utterance' | 'sessionEnd';
  /** 1–4,096. */
  readonly maxTokens: number;
}

/** What is written of speech: its words in its own language, or what they mean in English. */
export type Task = 'transcribe' | 'translate';

/** Where a session is sent once it has ended. */
export interface WebhookOptions {
  readonly url: string;
  /** Whose shape the body has, and what a client of theirs asked for, as JSON; left out for our own shape. */
  readonly vendor?: { readonly name: 'deepgram'; readonly asked: unknown };
}

export interface SessionOptions {
  /** What is spoken: BCP 47, or `auto`. */
  readonly language: string;
  readonly task: Task;
  /** A model this node serves, or null for its default. */
  readonly model: string | null;
  readonly audio: AudioFormat;
  /** Whether hypotheses of unfinished utterances are sent. */
  readonly partials: boolean;
  /** Whether finals carry word times. */
  readonly words: boolean;
  /** Names and terms to expect; null for none. */
  readonly prompt: string | null;
  readonly endpointing: EndpointingOptions;
  /** Null: no language model. */
  readonly llm: LlmOptions | null;
  readonly webhook: WebhookOptions | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What `llm: true` means. */
export const SUMMARISE: LlmOptions = {
  instructions:
    'Summarise what was said in one or two sentences, in the language it was said in. Add nothing that was not said.',
  trigger: 'sessionEnd',
  maxTokens: 256,
};

/** A session of which nothing was asked. */
export const DEFAULT_OPTIONS: SessionOptions = {
  language: 'auto',
  task: 'transcribe',
  model: null,
  audio: { encoding: 'pcm_s16le', sampleRateHz: 16_000, channels: 1 },
  partials: true,
  words: false,
  prompt: null,
  endpointing: { silenceMs: 500, maxUtteranceMs: 20_000 },
  llm: null,
  webhook: null,
  metadata: {},
};
