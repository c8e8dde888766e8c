/**
 * Decodes one stream in a thread of its own. Work is done in steps of half a second of audio, each asked for, so
 * nothing is decoded that nobody wants and no buffer grows, whatever the bytes claim.
 */
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import { serveThread, Transferred, threadData } from '../flow/thread.ts';
import type { ContainerDecoder, Sound } from './containers/decoder.ts';
import { openContainer } from './containers/open.ts';
import type { Decoded, DecoderApi, DecoderThreadData } from './decoder-protocol.ts';
import { MAX_INPUT_RATE_HZ, MIN_INPUT_RATE_HZ, Resampler } from './resampler.ts';
import { tame } from './tame.ts';
import { undecodable } from './undecodable.ts';

const STEP_SAMPLES = SAMPLE_RATE_HZ / 2;
/** A stream needs a few megabytes, its codec some more, and what was not collected yet counts as well. */
const MAX_HELD_MB = 192;

/** The codecs complain about damaged packets on the console; whoever sent them is told in another way. */
console.error = () => {};
console.warn = () => {};
console.log = () => {};

const { kind, channel } = threadData<DecoderThreadData>();
const opening: Promise<ContainerDecoder> = openContainer(kind, channel);
opening.catch(() => {});

let sounds: Iterator<Sound> | AsyncIterator<Sound> = [][Symbol.iterator]();
let resampler: { readonly rateHz: number; readonly convert: Resampler } | null = null;
let isEnding = false;

function endResampling(): Float32Array[] {
  if (!resampler) return [];
  const rest = resampler.convert.flush();
  resampler.convert.close();
  resampler = null;
  return [rest];
}

/** Streams may change their rate in the middle: each stretch is converted by itself. */
async function to16k({ rateHz, samples }: Sound): Promise<Float32Array[]> {
  if (!(rateHz >= MIN_INPUT_RATE_HZ && rateHz <= MAX_INPUT_RATE_HZ))
    throw undecodable(`Audio at ${rateHz} Hz is not supported.`);
  const rest = resampler?.rateHz === rateHz ? [] : endResampling();
  resampler ??= { rateHz, convert: await Resampler.open(rateHz) };
  return [...rest, resampler.convert.push(tame(samples))];
}

async function step(): Promise<Transferred<Decoded>> {
  const parts: Float32Array[] = [];
  let length = 0;
  let more = true;
  while (more && length < STEP_SAMPLES) {
    const next = await sounds.next();
    more = !next.done;
    const fresh = next.value ? await to16k(next.value) : isEnding ? endResampling() : [];
    parts.push(...fresh);
    length += fresh.reduce((sum, part) => sum + part.length, 0);
  }
  const audio = new Float32Array(length);
  let at = 0;
  for (const part of parts) {
    audio.set(part, at);
    at += part.length;
  }
  return new Transferred({ audio, more }, [audio.buffer]);
}

serveThread<DecoderApi>(
  {
    async decode(bytes) {
      const container = await opening;
      isEnding = bytes === null;
      sounds =
        bytes === null
          ? container.finish()[Symbol.iterator]()
          : container.decode(bytes)[Symbol.asyncIterator]();
      return step();
    },
    more: () => step(),
  },
  { maxHeldMb: MAX_HELD_MB },
);
