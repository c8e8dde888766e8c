import { Locale } from '../words/locale.ts';
import { Gateway } from './gateway.ts';
import { Library } from './library.ts';
import { Observable } from './observable.ts';
import { Preferences } from './preferences.ts';
import { Recorder } from './recorder.ts';
import { viewOf } from './session-view.ts';
import { ShownSession } from './shown-session.ts';
import { Uploader } from './uploader.ts';

/** All the page knows, and what can be done on it. The address's fragment names the session that is shown. */
export class PageModel extends Observable {
  readonly locale = new Locale();
  readonly preferences = new Preferences();
  readonly gateway = new Gateway();
  readonly library = new Library(this.gateway);
  readonly recorder = new Recorder(this.gateway, this.preferences, {
    opened: (shown) => this.#show(shown),
    failed: (error) => this.#tell(error),
  });
  readonly uploader = new Uploader(this.gateway, this.preferences, {
    accepted: (sessionId) => this.open(sessionId),
    failed: (error) => this.#tell(error),
  });
  #shown: ShownSession | null = null;
  #leave = new AbortController();
  #lookAway: () => void = () => {};
  #error: unknown = null;

  constructor() {
    super();
    const changed = () => this.changed();
    for (const part of [
      this.locale,
      this.preferences,
      this.gateway,
      this.library,
      this.recorder,
      this.uploader,
    ])
      part.subscribe(changed);
  }

  /** The session on the stage, if any. */
  get shown(): ShownSession | null {
    return this.#shown;
  }

  /** What went wrong last and was not dismissed yet; null where nothing did. */
  get error(): unknown {
    return this.#error;
  }

  /** Reads what there is to read. Called once, when the page opens. */
  start(): void {
    window.addEventListener('hashchange', () => this.#followAddress());
    this.#followAddress();
    this.preferences.learn(this.gateway.hasModel());
    this.library.refresh().then(
      // The list is complete without the feed, only not as fresh: nothing to tell.
      () => this.library.watch().catch(() => {}),
      (error) => this.#tell(error),
    );
  }

  /** Shows a session by going to its address. */
  open(sessionId: string): void {
    location.hash = sessionId;
  }

  /** Shows the recording under way, or nothing. */
  close(): void {
    const { state } = this.recorder;
    const current = 'shown' in state && state.shown !== this.#shown ? state.shown : null;
    this.#show(current);
  }

  async delete(sessionId: string): Promise<void> {
    try {
      await this.library.delete(sessionId);
      if (this.#shown?.view.id === sessionId) this.close();
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Does something for a person, who is told where it fails. */
  attempt(work: Promise<unknown>): void {
    work.catch((error) => this.#tell(error));
  }

  dismiss(): void {
    this.#error = null;
    this.changed();
  }

  #tell(error: unknown): void {
    this.#error = error;
    this.changed();
  }

  #show(shown: ShownSession | null): void {
    this.#leave.abort();
    this.#leave = new AbortController();
    this.#shown = shown;
    this.#error = null;
    this.#lookAway();
    this.#lookAway = shown?.subscribe(() => this.changed()) ?? (() => {});
    // On a phone the list stands below what is shown.
    if (shown) scrollTo(0, 0);
    // Not `location.hash`: the session is here already and need not be read again.
    history.replaceState(null, '', shown ? `#${shown.view.id}` : location.pathname);
    this.changed();
  }

  #followAddress(): void {
    const id = location.hash.slice(1);
    if (id === '') this.close();
    else if (id !== this.#shown?.view.id) this.#read(id).catch((error) => this.#tell(error));
  }

  async #read(id: string): Promise<void> {
    const { state } = this.recorder;
    if ('shown' in state && state.shown.view.id === id) return this.#show(state.shown);
    const session = await this.gateway.call((client) => client.session(id));
    if (location.hash.slice(1) !== id) return;
    const view = viewOf(session);
    const isRunning = view.state === 'pending' || view.state === 'running';
    // One that is still running is told from its beginning: then no event falls between reading and following.
    const shown = new ShownSession(isRunning ? { ...view, utterances: [], answers: [], withheld: 0 } : view);
    this.#show(shown);
    if (!isRunning) return;
    const { signal } = this.#leave;
    try {
      const onConnection = (connection: string) => {
        shown.connected = connection === 'open';
      };
      await shown.follow(this.gateway.client.events(id, { signal, onConnection }));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
