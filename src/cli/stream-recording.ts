import { findFfmpeg } from '../audio/find-ffmpeg.ts';
import { decodeFile } from '../audio/frames.ts';
import type { Earshot } from '../client/earshot.ts';
import type { LiveStream } from '../client/live-stream.ts';
import { toPcm } from '../client/microphone.ts';
import { pause, realTiming } from '../client/timing.ts';
import type { SessionRequest } from '../client/wire.ts';
import type { SessionEvent } from '../domain/event.ts';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { systemClock } from '../flow/clock.ts';

/** How much is sent at a time. */
const PIECE_SAMPLES = SAMPLE_RATE_HZ / 10;

/**
 * Plays a file to a live session, as fast as it would be spoken. Gives the session's id.
 * @throws EarshotError where it cannot be sent or transcribed; Failure where it cannot be decoded.
 */
export async function streamRecording(
  client: Earshot,
  file: string,
  request: SessionRequest,
  onEvent: (event: SessionEvent) => void,
): Promise<string> {
  const owner = new AbortController();
  const stream = await client.stream(request, { signal: owner.signal });
  const playing = play(stream, file).catch((error: unknown) => {
    owner.abort();
    throw error;
  });
  const printing = (async () => {
    for await (const event of stream) onEvent(event);
    await stream.receipt;
  })();
  // A file that cannot be read is the reason; that the stream was then given up is not.
  const [played, printed] = await Promise.allSettled([playing, printing]);
  if (played.status === 'rejected') throw played.reason;
  if (printed.status === 'rejected') throw printed.reason;
  return stream.sessionId;
}

async function play(stream: LiveStream, file: string): Promise<void> {
  const parts = { clock: systemClock, ffmpeg: await findFfmpeg(process.env.PATH ?? '') };
  const startedMs = realTiming.now();
  let sentSamples = 0;
  for await (const audio of decodeFile(
    file,
    { encoding: 'container', sampleRateHz: 0, channels: 0 },
    parts,
  )) {
    for (let at = 0; at < audio.length; at += PIECE_SAMPLES) {
      const pcm = toPcm(audio.subarray(at, at + PIECE_SAMPLES));
      sentSamples += pcm.length;
      const dueMs = (sentSamples / SAMPLE_RATE_HZ) * 1000 - (realTiming.now() - startedMs);
      if (dueMs > 0) await pause(realTiming, dueMs);
      await stream.ready();
      stream.send(pcm);
    }
  }
  await stream.end();
}
