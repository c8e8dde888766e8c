/** A recording: the same road as live audio, from a file, in the background. */
import { type DecodeParts, decodeFile } from '../audio/frames.ts';
import { Failure } from '../domain/failure.ts';
import { hasEnded, type SessionRecord } from '../domain/session.ts';
import { type Samples, samples, toSamples, toStreamMs } from '../domain/time.ts';
import type { Clock } from '../flow/clock.ts';
import { endBadly, endWell } from './ending.ts';
import { CLAIM_MS, type OpeningParts, openSession } from './opening.ts';
import { type PipelineParts, pipelineSettings } from './pipeline.ts';
import { Run } from './run.ts';

/** How often progress is told and stored, and the claim renewed. */
const BEAT_MS = 1000;

export interface RecordingParts {
  readonly opening: OpeningParts;
  readonly pipeline: PipelineParts;
  readonly decoders: DecodeParts;
  readonly clock: Clock;
  readonly nodeId: string;
  readonly workers: number;
  readonly maxDurationMs: number;
}

/**
 * Transcribes a stored upload to its end, going on where an earlier try got to.
 * @returns False where it is left to others: another node is at it, or `signal` broke it off.
 * @throws What may pass by itself and is worth another try; everything else ends the session FAILED.
 */
export async function transcribeRecording(
  record: SessionRecord,
  path: string,
  parts: RecordingParts,
  signal: AbortSignal,
): Promise<boolean> {
  if (hasEnded(record.state)) return true;
  const { store } = parts.opening;
  const claim = () => store.sessions.claim(record.id, parts.nodeId, parts.clock.now() + CLAIM_MS);
  if (!(await claim())) return false;

  const { journal, answers } = await openSession(record, parts.opening);
  const { audio, language } = record.options;
  if (record.state === 'PENDING')
    await journal.write({ type: 'session.started', audio, language, model: record.model });

  const from = toSamples(journal.committedMs);
  const decoded = decodeFile(path, audio, { ...parts.decoders, maxDurationMs: parts.maxDurationMs });
  const settings = pipelineSettings(record.options, 'recording', from, parts.workers);
  const run = new Run(skip(decoded, from), settings, { pipeline: parts.pipeline, journal, answers });
  let isOurs = true;
  const stop = () => {
    isOurs = false;
    void run.stop();
    void answers.stop();
  };
  signal.addEventListener('abort', stop, { once: true });

  const beat = async () => {
    const progress = { processedMs: toStreamMs(run.committed), durationMs: record.durationMs };
    journal.hint({ type: 'session.progress', ...progress });
    await store.sessions.progress(record.id, progress);
    if (!(await claim())) stop();
  };
  const beating = setInterval(() => void beat().catch(() => {}), BEAT_MS);
  beating.unref();

  try {
    await run.done;
    if (run.decoded === 0) throw new Failure('audio_empty', 'The recording holds no audio.');
    await endWell(journal, answers, toStreamMs(run.decoded), 'client');
  } catch (error) {
    if (!isOurs) return false;
    if (error instanceof Failure && error.code === 'storage_unavailable') throw error;
    await endBadly(journal, answers, toStreamMs(run.decoded), error);
  } finally {
    clearInterval(beating);
    signal.removeEventListener('abort', stop);
    await run.stop();
    // Lets go at once, so that the next process need not wait for the claim to run out.
    if (signal.aborted) await store.sessions.claim(record.id, parts.nodeId, parts.clock.now());
  }
  return true;
}

/** Ends a recording that cannot be worked on at all. */
export async function giveUpRecording(
  record: SessionRecord,
  parts: RecordingParts,
  reason: Failure,
): Promise<void> {
  const { journal, answers } = await openSession(record, parts.opening);
  await endBadly(journal, answers, journal.committedMs, reason);
}

/** Leaves out what an earlier try has stored already. */
async function* skip(
  frames: AsyncIterable<Float32Array>,
  count: Samples,
): AsyncGenerator<Float32Array, void, undefined> {
  let left: number = count;
  for await (const frame of frames) {
    if (left >= frame.length) {
      left = samples(left - frame.length);
    } else {
      yield left > 0 ? frame.subarray(left) : frame;
      left = 0;
    }
  }
}
