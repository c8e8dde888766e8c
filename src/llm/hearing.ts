import type { FinishReason, Usage } from '../domain/event.ts';
import { Failure, type FailureReport, reportOf } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import { CleanText } from './clean-text.ts';
import type { LanguageModel, LlmRequest } from './model.ts';

/** How long a model is waited for, in milliseconds. */
export interface HearingLimits {
  /** From the request to the first token, waiting for a turn included. */
  readonly firstTokenMs: number;
  /** Between two tokens, and from the last one to the end mark. */
  readonly stallMs: number;
  readonly totalMs: number;
}

export type HeardEnd =
  | {
      readonly kind: 'done';
      readonly finishReason: FinishReason;
      readonly usage: Usage;
      readonly droppedChars: number;
    }
  | { readonly kind: 'failed'; readonly report: FailureReport };

/**
 * Listens to a model while somebody else takes up what it says at a pace of their own. The first end counts;
 * whatever comes after it is not heard.
 */
export class Hearing {
  /** How it ended, or null while it goes on. Text may still be there to take. */
  end: HeardEnd | null = null;
  readonly #clock: Clock;
  readonly #clean = new CleanText();
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #cancelTotal: () => void;
  #cancelStall: () => void;
  #pending = '';
  #wake: () => void = () => {};

  constructor(
    model: LanguageModel,
    request: LlmRequest,
    limits: HearingLimits,
    clock: Clock,
    signal: AbortSignal,
  ) {
    const { firstTokenMs, stallMs, totalMs } = limits;
    this.#clock = clock;
    this.#signal = signal;
    this.#cancelTotal = clock.after(totalMs, () => this.#timeOut(`took longer than ${totalMs} ms`));
    this.#cancelStall = clock.after(firstTokenMs, () =>
      this.#timeOut(`did not begin to answer within ${firstTokenMs} ms`),
    );
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    else void this.#listen(model, request, stallMs);
  }

  /** Whether there is text that was not taken. */
  get hasText(): boolean {
    return this.#pending !== '';
  }

  /** All text since it was last taken. */
  take(): string {
    const text = this.#pending;
    this.#pending = '';
    return text;
  }

  /** Resolves at the next piece or end, or after `withinMs`. */
  async change(withinMs: number | null): Promise<void> {
    const { promise, resolve } = resolvable();
    const cancel = withinMs === null ? null : this.#clock.after(withinMs, resolve);
    this.#wake = resolve;
    await promise;
    cancel?.();
  }

  /** Lets go: the model is told to stop and no timer is left. */
  stop(): void {
    this.#cancelTotal();
    this.#cancelStall();
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#abort.abort(new Failure('llm_unavailable', 'The answer is no longer wanted.'));
  }

  /** Not waited for: a model that ignores its abort must not hold up the end. */
  async #listen(model: LanguageModel, request: LlmRequest, stallMs: number): Promise<void> {
    try {
      for await (const piece of model.generate(request, this.#abort.signal)) {
        if (this.end) return;
        if (piece.kind === 'done') {
          this.#pending += this.#clean.rest();
          return this.#finish(piece);
        }
        this.#pending += this.#clean.next(piece.text);
        this.#cancelStall();
        this.#cancelStall = this.#clock.after(stallMs, () =>
          this.#timeOut(`said nothing more for ${stallMs} ms`),
        );
        this.#wake();
      }
      this.#fail(new Failure('llm_truncated', 'The language model broke off before the end of its answer.'));
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onAbort = (): void => {
    const { reason } = this.#signal;
    const stopping = 'The gateway stopped before the language model had finished.';
    this.#fail(reason instanceof Failure ? reason : new Failure('shutting_down', stopping));
  };

  #timeOut(what: string): void {
    this.#fail(new Failure('llm_timeout', `The language model ${what}.`));
  }

  #fail(error: unknown): void {
    this.#finish({ kind: 'failed', report: reportOf(error) });
  }

  #finish(end: HeardEnd): void {
    this.end ??= end;
    this.stop();
    this.#wake();
  }
}

function resolvable(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
