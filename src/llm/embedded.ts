import { basename } from 'node:path';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { Queue } from '../flow/queue.ts';
import { Thread, threadEntry } from '../flow/thread.ts';
import type { EmbeddedApi, EmbeddedData } from './embedded-worker.ts';
import type { LanguageModel, LlmPiece, LlmRequest } from './model.ts';
import { Turns } from './turns.ts';

export interface EmbeddedOptions {
  /** A folder in the Hub's ONNX layout; a `manifest.json` in it is checked at load. */
  readonly folder: string;
  /** Where to remember which files were checked. */
  readonly stampFolder: string;
  readonly clock: Clock;
  /** Prompt and answer together. A longer context costs time (4 s to the first of 2,048 tokens) and memory. */
  readonly contextTokens?: number;
  /** Requests that may wait for the one being answered. */
  readonly maxWaiting?: number;
  /** The thread's code, where it is not our own. */
  readonly entry?: URL;
}

/** A thread told to stop that does not within this time is ended. Longer than any chunk of a prompt takes. */
const STOP_GRACE_MS = 10_000;

/**
 * The bundled model, in a thread of its own. It answers one request at a time, the others wait in line. A thread
 * that dies fails the request it was working on; the next request starts another.
 */
export class EmbeddedLanguageModel implements LanguageModel {
  readonly name: string;
  readonly #thread: Thread<EmbeddedApi>;
  readonly #turns: Turns;
  readonly #clock: Clock;

  constructor(options: EmbeddedOptions) {
    const { folder, stampFolder, clock, contextTokens = 2048, maxWaiting = 16 } = options;
    const data: EmbeddedData = { folder, stampFolder, contextTokens };
    const entry = options.entry ?? threadEntry(import.meta.url, './embedded-worker.js');
    this.name = basename(folder);
    this.#thread = new Thread(entry, { name: 'language model', data });
    this.#turns = new Turns(1, maxWaiting);
    this.#clock = clock;
  }

  /** Loads ahead of the first request. @throws Failure `llm_unavailable`, the reason as its cause. */
  async load(): Promise<void> {
    await this.#thread.call('load', []).catch((error) => {
      throw unavailable(error);
    });
  }

  async *generate(request: LlmRequest, signal: AbortSignal): AsyncGenerator<LlmPiece, void, undefined> {
    const giveTurn = await this.#turns.take(signal);
    const left = new AbortController();
    const pieces = this.#ask(request, AbortSignal.any([signal, left.signal]), giveTurn);
    try {
      yield* pieces;
    } finally {
      left.abort();
    }
  }

  async close(): Promise<void> {
    await this.#thread.close();
  }

  /** The turn is given back when the thread is free again, which is some time after a reader has left. */
  #ask(request: LlmRequest, signal: AbortSignal, giveTurn: () => void): Queue<LlmPiece> {
    const pieces = new Queue<LlmPiece>(request.maxTokens);
    let cancelGrace = () => {};
    const onAbort = () => {
      cancelGrace = this.#clock.after(STOP_GRACE_MS, () => void this.#thread.restart());
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const settled = () => {
      signal.removeEventListener('abort', onAbort);
      cancelGrace();
      giveTurn();
    };
    const onProgress = (text: unknown) => pieces.offer({ kind: 'delta', text: text as string });
    this.#thread.call('generate', [request], { signal, onProgress }).then(
      (generated) => {
        settled();
        pieces.offer({ kind: 'done', ...generated });
        pieces.close();
      },
      (error) => {
        settled();
        pieces.fail(signal.aborted ? signal.reason : unavailable(error));
      },
    );
    return pieces;
  }
}

const unavailable = (cause: unknown): Failure =>
  cause instanceof Failure
    ? cause
    : new Failure('llm_unavailable', 'The language model could not answer.', { cause });
