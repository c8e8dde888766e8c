import { Earshot } from '../../src/client/earshot.ts';
import { EarshotError } from '../../src/client/error.ts';
import { Observable } from './observable.ts';

const KEY = 'earshot.key';

/** Where a person is asked for a key; `refused` where one was tried already. */
export interface KeyQuestion {
  readonly refused: boolean;
}

/**
 * The gateway this page came from. A call that needs a key waits until a person has entered one; the key lives
 * in this tab's session storage and nowhere else.
 */
export class Gateway extends Observable {
  #key = sessionStorage.getItem(KEY);
  #client = this.#connect();
  #question: (KeyQuestion & { answered: (entered: boolean) => void; promise: Promise<boolean> }) | null =
    null;

  get client(): Earshot {
    return this.#client;
  }

  /** Set while a person is to enter a key. */
  get question(): KeyQuestion | null {
    return this.#question;
  }

  /** Whether the gateway runs with a language model. Asks for no key. */
  async hasModel(): Promise<boolean> {
    const answer = await fetch(new URL('ready', location.href));
    return ((await answer.json()) as { llm?: boolean }).llm !== false;
  }

  /** Does something with the gateway, as often as it takes to have a key that it accepts. */
  async call<T>(work: (client: Earshot) => Promise<T>): Promise<T> {
    while (true) {
      const client = this.#client;
      try {
        return await work(client);
      } catch (error) {
        const refused = error instanceof EarshotError && error.code === 'unauthorized';
        // Another call may have brought a new key meanwhile: then that is tried first.
        if (!refused || (client === this.#client && !(await this.#ask()))) throw error;
      }
    }
  }

  enter(key: string): void {
    this.#key = key.trim();
    sessionStorage.setItem(KEY, this.#key);
    this.#client = this.#connect();
    this.#answer(true);
  }

  refuse(): void {
    this.#answer(false);
  }

  #connect(): Earshot {
    return new Earshot({ url: new URL('.', location.href), apiKey: this.#key ?? undefined });
  }

  #ask(): Promise<boolean> {
    if (!this.#question) {
      let answered = (_entered: boolean) => {};
      const promise = new Promise<boolean>((resolve) => {
        answered = resolve;
      });
      this.#question = { refused: this.#key !== null, answered, promise };
      this.changed();
    }
    return this.#question.promise;
  }

  #answer(entered: boolean): void {
    this.#question?.answered(entered);
    this.#question = null;
    this.changed();
  }
}
