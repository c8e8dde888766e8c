/** How fast a recording is transcribed: uploaded to the gateway, waited for, read. */
import { Earshot } from '../src/client/earshot.ts';
import { isTerminal } from '../src/domain/event.ts';
import { SAMPLE_RATE_HZ } from '../src/domain/time.ts';
import { seeded } from '../test/support/audio.ts';
import type { Clip } from './audio/clips.ts';
import { compose, enoughClips } from './audio/script.ts';
import { wavOf } from './audio/wav.ts';
import { metered } from './live/meter.ts';
import { rateOf, wordErrors } from './measure/words.ts';

export interface RecordingRun {
  readonly audioSeconds: number;
  /** From the first byte of the upload to `session.done`. */
  readonly seconds: number;
  readonly wordErrorRate: number;
  readonly cpuPerAudioSecond: number;
  readonly otherCores: number;
}

const PAUSE_MS = 800;

/** @throws Error where the gateway fails to transcribe it. */
export async function transcribeRecording(
  clips: readonly Clip[],
  lengthMs: number,
  seed: number,
  url: string,
): Promise<RecordingRun> {
  const chosen = enoughClips(clips, lengthMs, PAUSE_MS, seeded(seed));
  const script = compose(chosen, { leadMs: 500, pauseMs: PAUSE_MS });
  const spoken = script.pcm.subarray(0, (script.durationMs * SAMPLE_RATE_HZ) / 1000);
  const client = new Earshot({ url });
  const file = new File([wavOf(spoken)], 'recording.wav');

  const { result, usage } = await metered(url, async () => {
    const startedMs = performance.now();
    const { id } = await client.upload(file);
    for await (const event of client.events(id)) if (isTerminal(event)) break;
    return { id, seconds: (performance.now() - startedMs) / 1000 };
  });
  const session = await client.session(result.id);
  if (session.state !== 'DONE') throw new Error(`the recording ended ${session.state}`);
  const audioSeconds = script.durationMs / 1000;
  return {
    audioSeconds,
    seconds: result.seconds,
    wordErrorRate: rateOf(wordErrors(session.text, script.text)),
    cpuPerAudioSecond: usage.cpuSeconds / audioSeconds,
    otherCores: usage.otherCores,
  };
}
