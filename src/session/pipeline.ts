/**
 * The figure of the README, in code:
 *
 *     bytes → frames → speech → words → events
 *
 * Live and recorded audio take the same road; they differ in where their frames come from (`decodeInput` for a
 * socket, `decodeFile` for a file) and in how pressing the words are.
 */
import type { DecodedInput } from '../audio/input.ts';
import type { NewId } from '../domain/ids.ts';
import type { EndpointingOptions, SessionOptions } from '../domain/options.ts';
import type { Samples } from '../domain/time.ts';
import { utterances } from '../speech/utterances.ts';
import type { VoiceActivityDetector } from '../speech/vad.ts';
import type { Recogniser } from '../whisper/recognition.ts';
import { type PipelineOutput, type WordsSettings, words } from './words.ts';

export interface PipelineParts {
  readonly vad: VoiceActivityDetector;
  readonly recogniser: Recogniser;
  readonly newId: NewId;
}

export interface PipelineSettings extends WordsSettings {
  readonly endpointing: EndpointingOptions;
}

/** From frames at 16 kHz to events. Abort `signal` to drop what is in the works. */
export function pipeline(
  frames: AsyncIterable<DecodedInput>,
  parts: PipelineParts,
  settings: PipelineSettings,
  signal: AbortSignal,
): AsyncGenerator<PipelineOutput, void, undefined> {
  const speech = utterances(frames, parts.vad.stream(), settings.endpointing);
  return words(speech, parts.recogniser, settings, parts.newId, signal);
}

/** What a session's options mean for its pipeline. */
export function pipelineSettings(
  options: SessionOptions,
  source: 'live' | 'recording',
  from: Samples,
  workers: number,
): PipelineSettings {
  const live = source === 'live';
  return {
    from,
    language: options.language === 'auto' ? null : options.language.split('-')[0]!.toLowerCase(),
    task: options.task,
    prompt: options.prompt,
    partials: live && options.partials,
    words: options.words,
    urgency: live ? 'final' : 'recording',
    finalsAtOnce: workers + 1,
    endpointing: options.endpointing,
  };
}
