/**
 * Typed calls to a worker thread. Inference and decoding block the thread they run on for tens of
 * milliseconds, so they run here, never on the main thread. A thread that dies rejects what it was doing with
 * {@link ThreadDied} and is started again by the next call.
 *
 * Both ends share one type that lists the methods:
 *
 *     type Api = { double(n: number): number };
 *     // worker.ts:   serveThread<Api>({ double: (n) => 2 * n });
 *     // elsewhere:   const thread = new Thread<Api>(threadEntry(import.meta.url, './worker.js'));
 *     //              await thread.call('double', [21]);
 */
import { getHeapStatistics } from 'node:v8';
import { parentPort, type TransferListItem, Worker, workerData } from 'node:worker_threads';
import { Failure, type FailureCode } from '../domain/failure.ts';

// biome-ignore lint/suspicious/noExplicitAny: any function signature is allowed here.
type Api = Record<string, (...args: any[]) => any>;

type Result<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: unknown[];
}

type Reply =
  | { readonly kind: 'progress'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | {
      readonly kind: 'error';
      readonly id: number;
      readonly message: string;
      readonly code: FailureCode | null;
    };

interface Cancel {
  readonly cancel: number;
}

/** The thread ended (crash, out of memory, `terminate`) before it answered. The call may be made again. */
export class ThreadDied extends Error {
  constructor(name: string, cause?: unknown) {
    super(`the ${name} thread ended before it answered`, { cause });
    this.name = 'ThreadDied';
  }
}

/** The address of a worker's entry file beside the caller: the built file, also when the caller is a source file. */
export function threadEntry(callerUrl: string, relativeJsPath: string): URL {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?!.*\/src\/)/, '/dist/') : callerUrl;
  return new URL(relativeJsPath, built);
}

export interface ThreadOptions {
  /** For error messages and debuggers. */
  readonly name: string;
  /** Given to the worker when it starts; read there with {@link threadData}. */
  readonly data?: unknown;
  /**
   * A thread that wants more memory on its heap than this dies. Alone on Node 20; V8 in Node 24 may take the whole
   * process along when a heap grows this far within one call, so what grows between calls is better bounded with
   * the `maxHeldMb` of {@link serveThread}.
   */
  readonly maxOldSpaceMb?: number;
}

export interface CallOptions {
  /** Buffers to move instead of copy. */
  readonly transfer?: readonly TransferListItem[];
  /** Tells the method to stop, through its `signal`; the call then rejects with whatever the method throws. */
  readonly signal?: AbortSignal;
  /** Receives what the method reports while it runs. */
  readonly onProgress?: (value: unknown) => void;
}

/** How long a thread that is closed may take over what it is doing, in milliseconds. */
const CLOSE_GRACE_MS = 5000;

interface Pending {
  /** The worker that was asked: its end is the end of the call, a later worker's is not. */
  readonly worker: Worker;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress: ((value: unknown) => void) | undefined;
}

export class Thread<A extends Api> {
  readonly #entry: URL;
  readonly #options: ThreadOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | null = null;
  #nextId = 1;
  #closed = false;
  #onIdle = () => {};

  constructor(entry: URL, options: ThreadOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  /** How many calls wait for an answer. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Calls `method` in the thread, starting it first where it does not run. */
  call<M extends keyof A & string>(
    method: M,
    args: Parameters<A[M]>,
    options: CallOptions = {},
  ): Promise<Result<A[M]>> {
    const { signal, transfer = [], onProgress } = options;
    if (this.#closed) return Promise.reject(new ThreadDied(this.#options.name));
    if (signal?.aborted) return Promise.reject(signal.reason);
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const onAbort = () => worker.postMessage({ cancel: id } satisfies Cancel);
      const settled = () => signal?.removeEventListener('abort', onAbort);
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.ref();
      this.#pending.set(id, {
        worker,
        resolve: (value) => {
          settled();
          resolve(value as Result<A[M]>);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
        onProgress,
      });
      try {
        worker.postMessage({ id, method, args } satisfies Request, transfer);
      } catch (error) {
        this.#take(id)?.reject(error);
      }
    });
  }

  /** Ends the thread at once, whatever it is doing; the next call starts a fresh one. */
  async restart(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  /**
   * Ends the thread for good. What it is doing is cancelled and waited for, up to `graceMs`: native code that
   * finds its thread gone when it returns takes the whole process along. 0 for threads without native code.
   */
  async close(graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#closed = true;
    for (const [id, { worker }] of this.#pending) worker.postMessage({ cancel: id } satisfies Cancel);
    if (this.#pending.size > 0 && graceMs > 0) await this.#idleWithin(graceMs);
    await this.restart();
  }

  #idleWithin(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, graceMs);
      this.#onIdle = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }

  #start(): Worker {
    const { name, data, maxOldSpaceMb } = this.#options;
    const worker = new Worker(this.#entry, {
      name,
      workerData: data,
      ...(maxOldSpaceMb && { resourceLimits: { maxOldGenerationSizeMb: maxOldSpaceMb } }),
    });
    let cause: unknown;
    worker.on('message', (reply: Reply) => this.#receive(reply));
    worker.on('error', (error) => {
      cause = error;
    });
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
      for (const [id, pending] of this.#pending)
        if (pending.worker === worker) this.#take(id)!.reject(new ThreadDied(name, cause));
    });
    return worker;
  }

  #receive(reply: Reply): void {
    if (reply.kind === 'progress') this.#pending.get(reply.id)?.onProgress?.(reply.value);
    else if (reply.kind === 'result') this.#take(reply.id)?.resolve(reply.value);
    else
      this.#take(reply.id)?.reject(
        reply.code ? new Failure(reply.code, reply.message) : new Error(reply.message),
      );
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    // An idle thread does not keep the process alive; a working one does.
    if (this.#pending.size === 0) {
      pending?.worker.unref();
      this.#onIdle();
    }
    return pending;
  }
}

/** What a method in the thread gets as its `this`: how to report progress and learn that it was cancelled. */
export interface CallContext {
  readonly signal: AbortSignal;
  progress(value: unknown, transfer?: readonly TransferListItem[]): void;
}

/** A result with buffers to move instead of copy. */
export class Transferred<T> {
  readonly value: T;
  readonly transfer: readonly TransferListItem[];
  constructor(value: T, transfer: readonly TransferListItem[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** The methods of a thread, each called with a {@link CallContext} as `this`. */
export type ThreadMethods<A extends Api> = {
  [M in keyof A]: (
    this: CallContext,
    ...args: Parameters<A[M]>
  ) => Promise<Result<A[M]> | Transferred<Result<A[M]>>> | Result<A[M]> | Transferred<Result<A[M]>>;
};

/** What the thread was started with. */
export const threadData = <T>(): T => workerData as T;

export interface ServeOptions {
  /** A thread that holds more than this after a call, buffers and garbage included, ends instead of answering. */
  readonly maxHeldMb?: number;
}

/** Memory of this thread: its heap, and the buffers outside of it. */
function heldMb(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return (used_heap_size + external_memory) / 2 ** 20;
}

/** Answers calls, in the worker. A thrown {@link Failure} arrives as one; of any other error
 * the message does. */
export function serveThread<A extends Api>(
  methods: ThreadMethods<A>,
  { maxHeldMb = Number.POSITIVE_INFINITY }: ServeOptions = {},
): void {
  const port = parentPort;
  if (!port) throw new Error('serveThread runs only in a worker thread');
  const running = new Map<number, AbortController>();
  const reply = (message: Reply, transfer: readonly TransferListItem[] = []) =>
    port.postMessage(message, transfer);

  port.on('message', async (message: Request | Cancel) => {
    if ('cancel' in message) {
      running.get(message.cancel)?.abort();
      return;
    }
    const { id, method, args } = message;
    const abort = new AbortController();
    running.set(id, abort);
    const context: CallContext = {
      signal: abort.signal,
      progress: (value, transfer) => reply({ kind: 'progress', id, value }, transfer),
    };
    try {
      const outcome = await methods[method as keyof A]!.apply(context, args as Parameters<A[keyof A]>);
      // A thread without its port has nothing left to wait for: it ends.
      if (heldMb() > maxHeldMb) return port.close();
      if (outcome instanceof Transferred)
        reply({ kind: 'result', id, value: outcome.value }, outcome.transfer);
      else reply({ kind: 'result', id, value: outcome });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      reply({ kind: 'error', id, message, code: error instanceof Failure ? error.code : null });
    } finally {
      running.delete(id);
    }
  });
}
