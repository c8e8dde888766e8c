/** One speaker: plays a script to a gateway as fast as it would be spoken, and notes when each event comes. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RawData, WebSocket } from 'ws';
import type { ServerMessage } from '../../src/client/wire.ts';
import { SAMPLE_RATE_HZ } from '../../src/domain/time.ts';
import { type Script, SPARE_MS } from '../audio/script.ts';
import type { Arrival } from '../measure/session.ts';

const CHUNK_MS = 20;
const CHUNK_SAMPLES = (SAMPLE_RATE_HZ * CHUNK_MS) / 1000;

/** How long a gateway may take to finish after `audio.end`. */
const FINISH_WITHIN_MS = 120_000;

export interface Playback {
  readonly arrivals: readonly Arrival[];
  /** Audio sent. */
  readonly sentMs: number;
  /** How late each chunk was sent: what the bench itself may have added to the delays. */
  readonly latenessMs: readonly number[];
}

/** @throws Error where the gateway refuses the session, fails it, or does not finish it in time. */
export async function playScript(script: Script, gatewayUrl: string): Promise<Playback> {
  const socket = new WebSocket(`${gatewayUrl.replace(/^http/, 'ws')}/v1/stream`);
  const arrivals: Arrival[] = [];
  let startedMs = 0;
  let failure: Error | null = null;
  const ready = new Promise<void>((resolve, reject) => {
    socket.on('message', (data: RawData) => {
      const atMs = performance.now() - startedMs;
      const message = JSON.parse(String(data)) as ServerMessage;
      if (message.type === 'session.ready') resolve();
      else if (message.type === 'error') failure = new Error(`${message.code}: ${message.message}`);
      else if (message.type !== 'audio.ack') arrivals.push({ atMs, event: message });
    });
    socket.on('error', reject);
    socket.on('close', () => reject(failure ?? new Error('closed before it was ready')));
  });
  const closed = once(socket, 'close');
  await ready;
  startedMs = performance.now();
  const { sentMs, latenessMs } = await play(socket, script, startedMs, () => heardAll(script, arrivals));
  if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"audio.end"}');
  const late = new AbortController();
  const finished = await Promise.race([
    closed.then(() => true),
    sleep(FINISH_WITHIN_MS, false, { signal: late.signal }),
  ]);
  late.abort();
  socket.terminate();
  if (!finished) throw new Error(`not finished ${FINISH_WITHIN_MS / 1000} s after the end of the audio`);
  if (!arrivals.some(({ event }) => event.type === 'session.done'))
    throw failure ?? new Error('closed before session.done');
  return { arrivals, sentMs, latenessMs };
}

/**
 * Sends 20 ms at the moment its last sample would have been recorded; after the script, silence until all is heard,
 * or as much as there is: a gateway may be far behind.
 */
async function play(socket: WebSocket, script: Script, startedMs: number, heardAll: () => boolean) {
  const latenessMs: number[] = [];
  let sentMs = 0;
  while (sentMs < script.durationMs || (!heardAll() && sentMs < script.durationMs + SPARE_MS - CHUNK_MS)) {
    const dueMs = startedMs + sentMs + CHUNK_MS;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (socket.readyState !== WebSocket.OPEN) break;
    latenessMs.push(Math.max(0, performance.now() - dueMs));
    const at = (sentMs * SAMPLE_RATE_HZ) / 1000;
    socket.send(script.pcm.subarray(at, at + CHUNK_SAMPLES));
    sentMs += CHUNK_MS;
  }
  return { sentMs, latenessMs };
}

/** Whether the last speech has its final, or was withheld by a guard. */
function heardAll({ speech }: Script, arrivals: readonly Arrival[]): boolean {
  const last = speech.at(-1)!;
  return arrivals.some(
    ({ event }) =>
      (event.type === 'transcript.final' || event.type === 'transcript.suppressed') &&
      event.endMs > last.startMs,
  );
}
