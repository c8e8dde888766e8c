/** A recording: the same road as live audio, from a file, in the background. */
import { type DecodeParts, decodeFile } from '../audio/frames.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { hasEnded, type SessionRecord } from '../domain/session.ts';
import { type Samples, samples, toSamples, toStreamMs } from '../domain/time.ts';
import type { Clock } from '../flow/clock.ts';
import { endBadly, endWell } from './ending.ts';
import { CLAIM_MS, type OpeningParts, openSession } from './opening.ts';
import { type PipelineParts, pipelineSettings } from './pipeline.ts';
import { Run, type RunParts } from './run.ts';

/** A recording over which so many processes died is taken for the reason. */
const MAX_CRASHES = 5;

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
  /** The file with a recording's audio, brought here where it is elsewhere. @throws Failure */
  readonly locate: (record: SessionRecord, signal: AbortSignal) => Promise<string>;
}

/**
 * Transcribes a recording to its end, going on where an earlier try got to.
 * @returns False where it is left to others: another node is at it, or `signal` broke it off.
 * @throws What may pass by itself and is worth another try; everything else ends the session FAILED.
 */
export async function transcribeRecording(
  record: SessionRecord,
  parts: RecordingParts,
  signal: AbortSignal,
): Promise<boolean> {
  if (hasEnded(record.state)) return true;
  const { store } = parts.opening;
  const untilMs = () => parts.clock.now() + CLAIM_MS;
  const claimed = await store.sessions.claim(record.id, parts.nodeId, untilMs());
  if (!claimed) return false;

  const { journal, answers } = await openSession(record, claimed.fence, parts.opening);
  const lost = new AbortController();
  const stopped = AbortSignal.any([signal, lost.signal]);
  let run: Run | null = null;
  const stop = () => {
    void run?.stop();
    void answers.stop();
  };
  stopped.addEventListener('abort', stop, { once: true });

  const beat = async () => {
    const { id, durationMs } = record;
    const progress = { processedMs: run ? toStreamMs(run.committed) : 0, durationMs };
    const held = await store.sessions.renew(parts.nodeId, untilMs(), [{ id, ...progress }]);
    if (!held.has(id)) return lost.abort();
    if (run) journal.hint({ type: 'session.progress', ...progress });
  };
  const beating = setInterval(() => void beat().catch(() => {}), BEAT_MS);
  beating.unref();

  try {
    if (claimed.crashes >= MAX_CRASHES) throw poisonous(claimed.crashes);
    const path = await parts.locate(record, stopped);
    run = await begin(record, path, { journal, answers }, parts);
    if (stopped.aborted) stop();
    await run.done;
    if (run.decoded === 0) throw new Failure('audio_empty', 'The recording holds no audio.');
    await endWell(journal, answers, toStreamMs(run.decoded), 'client');
  } catch (error) {
    if (stopped.aborted || isFailure(error, 'claim_lost')) return false;
    if (isFailure(error, 'storage_unavailable')) throw error;
    await endBadly(journal, answers, run ? toStreamMs(run.decoded) : journal.committedMs, error);
  } finally {
    clearInterval(beating);
    stopped.removeEventListener('abort', stop);
    await run?.stop();
    // Lets go at once, so that the next process need not wait for the claim to run out.
    if (signal.aborted) await store.sessions.release(record.id, parts.nodeId);
  }
  return true;
}

/** Begins where the log ends: a window that was stored is not done again. */
async function begin(
  record: SessionRecord,
  path: string,
  { journal, answers }: Pick<RunParts, 'journal' | 'answers'>,
  parts: RecordingParts,
): Promise<Run> {
  const { audio, language } = record.options;
  if (journal.lastSeq === 0)
    await journal.write({ type: 'session.started', audio, language, model: record.model });
  const from = toSamples(journal.committedMs);
  const decoded = decodeFile(path, audio, { ...parts.decoders, maxDurationMs: parts.maxDurationMs });
  const settings = pipelineSettings(record.options, 'recording', from, parts.workers);
  return new Run(skip(decoded, from), settings, { pipeline: parts.pipeline, journal, answers });
}

const poisonous = (crashes: number): Failure =>
  new Failure(
    'recognition_failed',
    `The process died ${crashes} times over this recording; it is not tried again.`,
  );

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
