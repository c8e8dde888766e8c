import type { ResetEvent, SessionEvent } from '../../src/client/index.ts';
import { Observable } from './observable.ts';
import { fold, type SessionView } from './session-view.ts';

/** Something to be spoken, by the seq of its event. */
export interface Said {
  readonly seq: number;
  readonly text: string;
}

const CLOCK_SKEW_MS = 2_000;

/** One session on the page, growing with its events. */
export class ShownSession extends Observable {
  #view: SessionView;
  #said: readonly Said[] = [];
  #connected = true;
  readonly #openedAt = Date.now();

  constructor(view: SessionView) {
    super();
    this.#view = view;
  }

  get view(): SessionView {
    return this.#view;
  }

  /** Whether events come in; false while the connection is lost. */
  get connected(): boolean {
    return this.#connected;
  }

  set connected(connected: boolean) {
    this.#connected = connected;
    this.changed();
  }

  /** What a screen reader should say of what is new: finals and finished answers, since the page opened it. */
  get said(): readonly Said[] {
    return this.#said;
  }

  /** Takes in events until they end. @throws whatever the source throws. */
  async follow(events: AsyncIterable<SessionEvent | ResetEvent>): Promise<void> {
    for await (const event of events) {
      this.#view = fold(this.#view, event);
      if (event.type === 'transcript.final' || event.type === 'llm.done')
        if (Date.parse(event.at) >= this.#openedAt - CLOCK_SKEW_MS)
          this.#said = [...this.#said.slice(-2), { seq: event.seq, text: event.text }];
      this.changed();
    }
  }
}
