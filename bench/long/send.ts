/** Long audio sent to a gateway: as a recording, and live. */
import { Earshot } from '../../src/client/earshot.ts';
import { isTerminal } from '../../src/domain/event.ts';
import type { Script } from '../audio/script.ts';
import { wavOf } from '../audio/wav.ts';
import { playScript } from '../live/speaker.ts';
import { percentile } from '../measure/statistics.ts';
import { type Final, type LongErrors, longErrors } from './errors.ts';

export interface SentRecording {
  readonly kind: 'recording';
  readonly audioSeconds: number;
  /** From the first byte of the upload to `session.done`. */
  readonly seconds: number;
  readonly errors: LongErrors;
  readonly progressEvents: number;
  readonly suppressed: number;
}

export interface SentLive {
  readonly kind: 'live';
  readonly audioSeconds: number;
  readonly errors: LongErrors;
  readonly suppressed: number;
  /** From the end of an utterance to its final. */
  readonly finalP95Ms: number;
  /** From the end of the audio a partial speaks of to its arrival. */
  readonly partialAgeP95Ms: number;
  /** Finals that do not begin with what was called settled before. */
  readonly brokenPromises: number;
}

/** @throws Error where the gateway does not transcribe it to its end. */
export async function sendRecording(script: Script, url: string): Promise<SentRecording> {
  const client = new Earshot({ url });
  const startedMs = performance.now();
  const { id } = await client.upload(new File([wavOf(script.pcm)], 'long.wav'));
  const finals: Final[] = [];
  let [progressEvents, suppressed] = [0, 0];
  for await (const event of client.events(id)) {
    if (event.type === 'transcript.final') finals.push(event);
    if (event.type === 'transcript.suppressed') suppressed++;
    if (event.type === 'session.progress') progressEvents++;
    if (event.type === 'session.failed') throw new Error(`${event.error.code}: ${event.error.message}`);
    if (isTerminal(event)) break;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const errors = longErrors(finals, script.text);
  const audioSeconds = script.durationMs / 1000;
  return { kind: 'recording', audioSeconds, seconds, errors, progressEvents, suppressed };
}

/** @throws Error where the gateway refuses or fails the session. */
export async function sendLive(script: Script, url: string): Promise<SentLive> {
  const { arrivals, sentMs } = await playScript(script, url);
  const finals: Final[] = [];
  const [delaysMs, agesMs]: [number[], number[]] = [[], []];
  const settled = new Map<string, string>();
  let [suppressed, brokenPromises] = [0, 0];
  for (const { atMs, event } of arrivals)
    if (event.type === 'transcript.partial') {
      agesMs.push(atMs - event.endMs);
      settled.set(event.utteranceId, event.text.slice(0, event.stableChars));
    } else if (event.type === 'transcript.final') {
      delaysMs.push(atMs - event.endMs);
      finals.push(event);
      if (!event.text.startsWith(settled.get(event.utteranceId) ?? '')) brokenPromises++;
    } else if (event.type === 'transcript.suppressed') suppressed++;
  return {
    kind: 'live',
    audioSeconds: sentMs / 1000,
    errors: longErrors(finals, script.text),
    suppressed,
    finalP95Ms: percentile(delaysMs, 95),
    partialAgeP95Ms: percentile(agesMs, 95),
    brokenPromises,
  };
}
