/** What is asked of a recording, in the address it is posted to. */
import * as z from 'zod';
import { Failure } from '../../domain/failure.ts';
import type { SessionOptions } from '../../domain/options.ts';
import type { Abilities } from '../options.ts';
import type { AnswerWishes } from './answer.ts';
import { commonParameters, optionsOf, UNFORMATTED, UNINTERPRETED, writingOf } from './common-query.ts';
import { flag, one, type Query, readParameters, refused } from './parameters.ts';

const DEFAULT_UTT_SPLIT_SECONDS = 0.8;

const parameters = z.strictObject({
  ...commonParameters,
  detect_language: flag.default(false),
  utterances: flag.default(false),
  utt_split: one
    .pipe(z.coerce.number<string>('must be a number').min(0).max(60))
    .default(DEFAULT_UTT_SPLIT_SECONDS),
  callback: one.pipe(z.url('must be an address')).optional(),
  callback_method: one
    .transform((method) => method.toUpperCase())
    .pipe(z.literal('POST', 'must be POST'))
    .optional(),
  measurements: UNFORMATTED,
  paragraphs: refused('say utterances=true'),
  sentiment: UNINTERPRETED,
  summarize: UNINTERPRETED,
  topics: UNINTERPRETED,
  custom_topic: UNINTERPRETED,
  custom_topic_mode: UNINTERPRETED,
  intents: UNINTERPRETED,
  custom_intent: UNINTERPRETED,
  custom_intent_mode: UNINTERPRETED,
});

export interface RecordingWishes {
  /** Of a session that hears all channels as one. */
  readonly options: SessionOptions;
  readonly isMultichannel: boolean;
  /** How many channels there are said to be; null where nothing is. */
  readonly channels: number | null;
  /** All that the answer needs to know but what the recording is. */
  readonly answer: Omit<AnswerWishes, 'sha256'>;
}

/**
 * Reads the address of a recording.
 * @throws Failure `unsupported_option`, `bad_request`; both name the parameter.
 */
export function readPrerecordedQuery(query: Query, requestId: string, abilities: Abilities): RecordingWishes {
  const asked = readParameters(parameters, query);
  const { callback, detect_language, multichannel, channels } = asked;
  if (callback !== undefined && multichannel)
    throw new Failure('unsupported_option', 'callback: is not supported together with multichannel.');
  if (callback !== undefined) checkCallback(callback, abilities);
  const options = optionsOf(asked, requestId, abilities, {
    ...(detect_language && { language: 'auto' }),
    webhook: callback === undefined ? null : { url: callback },
  });
  return {
    options,
    isMultichannel: multichannel,
    channels: channels ?? null,
    answer: {
      requestId,
      detectLanguage: detect_language,
      utterances: asked.utterances,
      uttSplitMs: asked.utt_split * 1000,
      tags: asked.tag,
      extra: Object.fromEntries(asked.extra),
      ...writingOf(asked),
    },
  };
}

/** @throws Failure as for a webhook of ours, which it becomes */
function checkCallback(callback: string, { webhooks }: Abilities): void {
  try {
    webhooks.check(callback);
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.code, `callback: ${error.message}`) : error;
  }
}
