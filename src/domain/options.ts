/** What a client may ask of a session, after validation: every default filled in. */

/** How the bytes of a stream are to be read. `container`: webm, ogg, mp4, mp3, flac, wav, told by their first bytes. */
export type AudioEncoding = 'pcm_s16le' | 'pcm_f32le' | 'mulaw' | 'alaw' | 'container';

/** The declared shape of incoming audio. For `container`, rate and channels come from the container itself. */
export interface AudioFormat {
  readonly encoding: AudioEncoding;
  /** 4,000–192,000. */
  readonly sampleRateHz: number;
  /** 1–8, interleaved; mixed down to one. */
  readonly channels: number;
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

export interface SessionOptions {
  /** BCP 47, or `auto`. */
  readonly language: string;
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
  readonly webhook: { readonly url: string } | null;
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
