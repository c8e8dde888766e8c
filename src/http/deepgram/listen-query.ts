/** What is asked of live audio, in the address of the WebSocket. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import { DEFAULT_OPTIONS, type SessionOptions } from '../../domain/options.ts';
import type { Abilities } from '../options.ts';
import { commonParameters, ofChannel, optionsOf, type Writing, writingOf } from './common-query.ts';
import { flag, one, type Query, readParameters, refused, whole } from './parameters.ts';

/**
 * The shortest pause that ends an utterance. Deepgram's own recogniser remembers what came before, and its clients ask for
 * as little as 10 ms; Whisper hears each utterance by itself, and half a phrase badly.
 */
const MIN_PAUSE_MS = 300;
const MAX_PAUSE_MS = 5000;

const NO_CALLBACK = 'connect and listen, or set a webhook by way of /v1/sessions';

/** A pause in milliseconds, `false` for no endpoints, `true` for what is usual. */
const endpointing = one
  .refine((value) => /^(?:true|false|\d+)$/i.test(value), 'must be milliseconds, or false')
  .transform((value) => (/^\d+$/.test(value) ? Number(value) : value.toLowerCase() === 'true'))
  .refine((value) => Number(value) <= MAX_PAUSE_MS, `may be ${MAX_PAUSE_MS} ms at most`);

const parameters = z.strictObject({
  ...commonParameters,
  interim_results: flag.default(false),
  endpointing: endpointing.optional(),
  utterance_end_ms: whole(1, 60_000).optional(),
  vad_events: flag.default(false),
  no_delay: flag.optional(),
  callback: refused(NO_CALLBACK),
  callback_method: refused(NO_CALLBACK),
  language_hint: refused('say language=multi'),
});

/** What is wanted of a connection. */
export interface ListenWishes extends Writing {
  /** The options of a session for each channel: one where all are heard as one. */
  readonly options: readonly SessionOptions[];
  readonly interimResults: boolean;
  readonly vadEvents: boolean;
  /** A gap between words that is to be told of; null for none. */
  readonly utteranceEndMs: number | null;
  /** Whether it is to be said where an utterance ended at a pause. */
  readonly hasEndpoints: boolean;
  readonly tags: readonly string[];
  readonly extra: Readonly<Record<string, string>>;
}

/**
 * Reads the address of a WebSocket.
 * @throws Failure `unsupported_option`, `bad_request`; both name the parameter.
 */
export function readListenQuery(query: Query, requestId: string, abilities: Abilities): ListenWishes {
  const asked = readParameters(parameters, query);
  const { interim_results, endpointing, utterance_end_ms, vad_events, multichannel, channels } = asked;
  if (utterance_end_ms !== undefined && !interim_results)
    throw new Failure('bad_request', 'utterance_end_ms: needs interim_results=true.');
  const options = optionsOf(asked, requestId, abilities, {
    partials: interim_results,
    endpointing: { silenceMs: pauseMsOf(endpointing) },
  });
  return {
    options: multichannel ? apart(options, channels) : [options],
    interimResults: interim_results,
    vadEvents: vad_events,
    utteranceEndMs: utterance_end_ms ?? null,
    hasEndpoints: endpointing !== false && endpointing !== 0,
    tags: asked.tag,
    extra: Object.fromEntries(asked.extra),
    ...writingOf(asked),
  };
}

/** Where there are no endpoints utterances end all the same: somewhere the text has to become final. */
function pauseMsOf(endpointing: number | boolean | undefined): number {
  if (typeof endpointing !== 'number' || endpointing === 0) return DEFAULT_OPTIONS.endpointing.silenceMs;
  return Math.max(MIN_PAUSE_MS, endpointing);
}

function apart(options: SessionOptions, channels: number | undefined): SessionOptions[] {
  // How many there are is told by a container only once its audio has begun.
  if (channels === undefined)
    throw new Failure('bad_request', 'channels: is needed where multichannel is true.');
  return Array.from({ length: channels }, (_, channel) => ofChannel(options, channel));
}
