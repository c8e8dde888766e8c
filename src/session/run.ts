/**
 * One pass of the pipeline over a stretch of a session's audio: writes down what comes out of it and keeps
 * count of how far it has come. A session is one run, or several where its audio was interrupted: each begins
 * where the one before had committed.
 */
import type { DecodedInput } from '../audio/input.ts';
import { isDurable } from '../domain/event.ts';
import { type Samples, samples, toSamples } from '../domain/time.ts';
import type { Answers } from './answers.ts';
import type { Journal } from './journal.ts';
import { type PipelineParts, type PipelineSettings, pipeline } from './pipeline.ts';

export interface RunParts {
  readonly pipeline: PipelineParts;
  readonly journal: Journal;
  readonly answers: Answers;
}

export class Run {
  /** Where on the session's clock it began. */
  readonly from: Samples;
  /** Settles when the run is over: everything stored, or the reason why not. */
  readonly done: Promise<void>;
  readonly #parts: RunParts;
  readonly #stop = new AbortController();
  /** Those who wait for what was said before a commit, in the order of the commits. */
  readonly #waiting: ((lastSeq: number) => void)[] = [];
  #decoded: Samples;
  #committed: Samples;

  constructor(frames: AsyncIterable<DecodedInput>, settings: PipelineSettings, parts: RunParts) {
    this.#parts = parts;
    this.from = settings.from;
    this.#decoded = settings.from;
    this.#committed = settings.from;
    this.done = this.#run(frames, settings).finally(() => {
      for (const tell of this.#waiting.splice(0)) tell(parts.journal.lastSeq);
    });
    this.done.catch(() => {});
  }

  /** How far the audio has been decoded. */
  get decoded(): Samples {
    return this.#decoded;
  }

  /** Up to where audio will not be needed again: in stored utterances, or in none. */
  get committed(): Samples {
    return this.#committed;
  }

  /**
   * To be called as a commit is put into the audio: resolves with the seq of the last stored event once all that was
   * said before it is stored, or the run is over.
   */
  nextCommit(): Promise<number> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Drops what is in the works, and waits until nothing more is written. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.done.catch(() => {});
  }

  async #run(frames: AsyncIterable<DecodedInput>, settings: PipelineSettings): Promise<void> {
    const { journal, answers } = this.#parts;
    for await (const output of pipeline(
      this.#count(frames),
      this.#parts.pipeline,
      settings,
      this.#stop.signal,
    )) {
      if (output.kind === 'settled') {
        this.#commit(output.until);
      } else if (output.kind === 'committed') {
        this.#waiting.shift()?.(journal.lastSeq);
      } else if (!isDurable(output.draft)) {
        journal.hint(output.draft);
      } else {
        await journal.write(output.draft);
        if (output.draft.type === 'transcript.final') answers.heard(output.draft);
        this.#commit(toSamples(journal.committedMs));
      }
    }
    this.#stop.signal.throwIfAborted();
    this.#commit(this.#decoded);
  }

  #commit(until: Samples): void {
    if (until > this.#committed) this.#committed = until;
  }

  async *#count(frames: AsyncIterable<DecodedInput>): AsyncGenerator<DecodedInput, void, undefined> {
    for await (const frame of frames) {
      if (this.#stop.signal.aborted) return;
      if (typeof frame !== 'string') this.#decoded = samples(this.#decoded + frame.length);
      yield frame;
    }
  }
}
