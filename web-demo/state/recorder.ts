import workletUrl from '../../src/client/capture-worklet.ts?worker&url';
import type { LiveStream } from '../../src/client/live-stream.ts';
import { captureMicrophone, type Microphone } from '../../src/client/microphone.ts';
import type { Gateway } from './gateway.ts';
import { Levels } from './levels.ts';
import { Observable } from './observable.ts';
import type { Preferences } from './preferences.ts';
import { newView } from './session-view.ts';
import { ShownSession } from './shown-session.ts';

export type RecorderState =
  | { readonly kind: 'idle' }
  /** The microphone and the session are being opened. */
  | { readonly kind: 'starting' }
  | {
      readonly kind: 'recording';
      /** `Date.now()` when it began. */
      readonly sinceMs: number;
      readonly connected: boolean;
      readonly shown: ShownSession;
    }
  /** The microphone is closed; the last words are on their way. */
  | { readonly kind: 'finishing'; readonly shown: ShownSession };

interface Listener {
  /** A session was opened and is to be shown. */
  opened(shown: ShownSession): void;
  failed(error: unknown): void;
}

/** From the microphone to a session: one recording at a time. */
export class Recorder extends Observable {
  readonly levels = new Levels();
  readonly #gateway: Gateway;
  readonly #preferences: Preferences;
  readonly #listener: Listener;
  #state: RecorderState = { kind: 'idle' };
  #microphone: Microphone | null = null;
  #stream: LiveStream | null = null;

  constructor(gateway: Gateway, preferences: Preferences, listener: Listener) {
    super();
    this.#gateway = gateway;
    this.#preferences = preferences;
    this.#listener = listener;
  }

  get state(): RecorderState {
    return this.#state;
  }

  /** Begins or ends the recording; does nothing while it is doing either. */
  toggle(): void {
    if (this.#state.kind === 'idle') this.#start().catch((error) => this.#fail(error));
    else if (this.#state.kind === 'recording') this.stop();
  }

  async #start(): Promise<void> {
    this.#become({ kind: 'starting' });
    this.levels.clear();
    // What is said before the session is open waits here: a few hundred milliseconds, seldom more.
    const early: Int16Array[] = [];
    const send = (pcm: Int16Array) => {
      if (this.#stream) this.#hand(this.#stream, pcm);
      else if (early.length < MAX_EARLY_BLOCKS) early.push(pcm);
    };
    this.#microphone = await captureMicrophone(workletUrl, {
      onAudio: send,
      onLevel: ({ rms }) => this.levels.add(rms),
      onLost: (error) => {
        this.#listener.failed(error);
        this.stop();
      },
    });
    const request = await this.#preferences.request();
    const stream = await this.#gateway.call((client) =>
      client.stream(request, { onStatus: () => this.#onStatus() }),
    );
    const shown = new ShownSession(newView(stream.sessionId, 'live'));
    this.#stream = stream;
    for (const pcm of early) this.#hand(stream, pcm);
    this.#become({ kind: 'recording', sinceMs: Date.now(), connected: true, shown });
    this.#listener.opened(shown);
    this.#follow(shown, stream);
  }

  async #follow(shown: ShownSession, stream: LiveStream): Promise<void> {
    try {
      await shown.follow(stream);
    } catch (error) {
      this.#listener.failed(error);
    } finally {
      this.#stream = null;
      await this.#release();
      this.#become({ kind: 'idle' });
    }
  }

  async stop(): Promise<void> {
    if (this.#state.kind !== 'recording') return;
    this.#become({ kind: 'finishing', shown: this.#state.shown });
    await this.#release();
    // What goes wrong from here on is told by the events.
    await this.#stream?.end().catch(() => {});
  }

  #hand(stream: LiveStream, pcm: Int16Array): void {
    try {
      stream.send(pcm);
    } catch {
      // The stream is over, or was cut off for too long; the reader of its events is told why.
      this.#microphone?.stop();
    }
  }

  #onStatus(): void {
    if (this.#state.kind === 'recording')
      this.#become({ ...this.#state, connected: this.#stream?.status !== 'reconnecting' });
  }

  async #release(): Promise<void> {
    const microphone = this.#microphone;
    this.#microphone = null;
    await microphone?.stop();
  }

  async #fail(error: unknown): Promise<void> {
    await this.#release();
    this.#stream = null;
    this.#become({ kind: 'idle' });
    this.#listener.failed(error);
  }

  #become(state: RecorderState): void {
    this.#state = state;
    this.changed();
  }
}

/** 21 ms each: one minute, the time a person may take to enter a key. */
const MAX_EARLY_BLOCKS = 3_000;
