import type { Gateway } from './gateway.ts';
import { Observable } from './observable.ts';
import type { Preferences } from './preferences.ts';

export type UploadState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'sending';
      readonly name: string;
      readonly sentBytes: number;
      readonly totalBytes: number;
      cancel(): void;
    };

interface Listener {
  /** The gateway has the recording; its session is to be shown. */
  accepted(sessionId: string): void;
  failed(error: unknown): void;
}

/** Sends recordings, one after the other. */
export class Uploader extends Observable {
  readonly #gateway: Gateway;
  readonly #preferences: Preferences;
  readonly #listener: Listener;
  readonly #waiting: File[] = [];
  #state: UploadState = { kind: 'idle' };

  constructor(gateway: Gateway, preferences: Preferences, listener: Listener) {
    super();
    this.#gateway = gateway;
    this.#preferences = preferences;
    this.#listener = listener;
  }

  get state(): UploadState {
    return this.#state;
  }

  /** Sends these after those that wait already. Cancelling calls all of them off. */
  async send(files: readonly File[]): Promise<void> {
    this.#waiting.push(...files);
    if (this.#state.kind === 'sending') return;
    const abort = new AbortController();
    try {
      for (let file = this.#waiting.shift(); file; file = this.#waiting.shift())
        await this.#sendOne(file, abort);
    } catch (error) {
      this.#waiting.length = 0;
      if (!abort.signal.aborted) this.#listener.failed(error);
    } finally {
      this.#become({ kind: 'idle' });
    }
  }

  async #sendOne(file: File, abort: AbortController): Promise<void> {
    const sending = { kind: 'sending', name: file.name, cancel: () => abort.abort() } as const;
    this.#become({ ...sending, sentBytes: 0, totalBytes: file.size });
    const request = await this.#preferences.request();
    const session = await this.#gateway.call((client) =>
      client.upload(
        file,
        { ...request, metadata: { name: file.name } },
        {
          signal: abort.signal,
          onProgress: ({ sentBytes, totalBytes }) =>
            this.#become({ ...sending, sentBytes, totalBytes: totalBytes ?? file.size }),
        },
      ),
    );
    this.#listener.accepted(session.id);
  }

  #become(state: UploadState): void {
    this.#state = state;
    this.changed();
  }
}
