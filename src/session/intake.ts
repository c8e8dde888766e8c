/** One stretch of live audio being worked on: bytes go in, a run of the pipeline takes them, and both are counted. */
import { type DecodeParts, decodeInput } from '../audio/frames.ts';
import { COMMIT, DISCARD, type EncodedInput } from '../audio/input.ts';
import { samplesOf } from '../audio/position.ts';
import type { AudioFormat } from '../domain/options.ts';
import { SAMPLE_RATE_HZ, type Samples, samples } from '../domain/time.ts';
import { Queue } from '../flow/queue.ts';
import { atDeclaredRate } from './declared-rate.ts';
import type { PipelineSettings } from './pipeline.ts';
import { Run, type RunParts } from './run.ts';

/** Bytes of audio taken in ahead of the work: reading from the socket stops beyond. */
const WAITING_BYTES = 512 * 1024;

/** A commit that was put in its place. */
export interface Committed {
  /** Resolves with the seq of the session's last stored event once all that was said before is stored. */
  readonly stored: Promise<number>;
}

export class Intake {
  readonly run: Run;
  readonly #format: AudioFormat;
  readonly #input = new Queue<EncodedInput>(WAITING_BYTES, (item) =>
    typeof item === 'string' ? 0 : item.length,
  );
  #receivedBytes = 0;

  constructor(format: AudioFormat, settings: PipelineSettings, decoders: DecodeParts, parts: RunParts) {
    this.#format = format;
    this.run = new Run(decodeInput(this.#input, format, decoders), settings, parts);
  }

  /** Takes audio, waiting while there is more than enough to work on. */
  async push(bytes: Uint8Array): Promise<void> {
    this.#receivedBytes += bytes.length;
    await this.#input.push(bytes);
  }

  /**
   * Ends the current utterance where the audio now stands.
   * @returns `stored`: see {@link Run.nextCommit}.
   */
  async commit(): Promise<Committed> {
    const stored = this.run.nextCommit();
    await this.#input.push(COMMIT);
    return { stored };
  }

  /** Drops the utterance that is open where the audio now stands. */
  async discard(): Promise<void> {
    await this.#input.push(DISCARD);
  }

  /** No more audio: waits until what there is has been worked through. Rejects where that failed. */
  async finish(): Promise<void> {
    this.#input.close();
    await this.run.done;
  }

  /** Drops what is in the works, also where it waits for input that will not come. */
  async drop(): Promise<void> {
    const stopped = this.run.stop();
    this.#input.close();
    await stopped;
  }

  /** Up to where on the session's clock audio has been received; for a container, decoded. */
  get received(): Samples {
    const { encoding, sampleRateHz } = this.#format;
    if (encoding === 'container') return this.run.decoded;
    const frames = samplesOf(this.#receivedBytes, this.#format);
    return samples(this.run.from + Math.round((frames * SAMPLE_RATE_HZ) / sampleRateHz));
  }

  /** The same as the client counts it, to the sample: what it sent is never converted and back. */
  get receivedAtDeclaredRate(): number {
    if (this.#format.encoding === 'container') return this.run.decoded;
    return atDeclaredRate(this.run.from, this.#format) + samplesOf(this.#receivedBytes, this.#format);
  }
}
