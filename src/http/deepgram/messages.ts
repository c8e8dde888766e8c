/** What is sent over a WebSocket, in Deepgram's words. Times are in seconds. */

export interface Word {
  /** In small letters, without punctuation. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
  /** 0–1; 0 where the recogniser does not say. */
  readonly confidence: number;
  /** As it is written; left out where no punctuation is wanted. */
  readonly punctuated_word?: string;
}

export interface Alternative {
  readonly transcript: string;
  /** 0–1; 0 where the recogniser does not say. */
  readonly confidence: number;
  readonly words: readonly Word[];
  /** What was heard, where that was left open. */
  readonly languages?: readonly string[];
}

export interface ModelInfo {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

export interface ResultsMetadata {
  readonly request_id: string;
  readonly model_uuid: string;
  readonly model_info: ModelInfo;
}

/** Which channel of how many. */
export type ChannelIndex = readonly [channel: number, channels: number];

export interface Results {
  readonly type: 'Results';
  readonly channel_index: ChannelIndex;
  readonly start: number;
  readonly duration: number;
  /** Whether it will not change any more. */
  readonly is_final: boolean;
  /** Whether the speaker paused at its end. */
  readonly speech_final: boolean;
  /** Whether it is the last of what was said before a `Finalize`. */
  readonly from_finalize: boolean;
  readonly channel: { readonly alternatives: readonly [Alternative] };
  readonly metadata: ResultsMetadata;
}

export interface SpeechStarted {
  readonly type: 'SpeechStarted';
  readonly channel: ChannelIndex;
  readonly timestamp: number;
}

export interface UtteranceEnd {
  readonly type: 'UtteranceEnd';
  readonly channel: ChannelIndex;
  readonly last_word_end: number;
}

/** About all that was sent: the last message of a connection, and the head of a recording's answer. */
export interface About {
  readonly transaction_key: 'deprecated';
  readonly request_id: string;
  /** Of all bytes of audio, in hexadecimal. */
  readonly sha256: string;
  readonly created: string;
  readonly duration: number;
  readonly channels: number;
  readonly models: readonly string[];
  readonly model_info: Readonly<Record<string, ModelInfo>>;
  readonly tags?: readonly string[];
  readonly extra?: Readonly<Record<string, string>>;
}

export type Metadata = { readonly type: 'Metadata' } & About;

/** A message of the client that is none. */
export interface ErrorMessage {
  readonly type: 'Error';
  readonly variant: 'SchemaError';
  readonly description: string;
  readonly message: string;
}

/** What comes of a channel's events. */
export type ChannelMessage = Results | SpeechStarted | UtteranceEnd;
