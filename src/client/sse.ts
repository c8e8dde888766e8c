/** One dispatched event of a stream of server-sent events. */
export interface SseMessage {
  /** The last id seen so far in the stream; empty where there was none yet. */
  readonly id: string;
  /** `message` where the stream names none. */
  readonly event: string;
  readonly data: string;
}

const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/**
 * Parses `text/event-stream` piece by piece, wherever the pieces are cut (also between CR and LF).
 * WHATWG HTML, section 9.2.6, "Interpreting an event stream".
 */
export class SseParser {
  #unfinished = '';
  #skipLineFeed = false;
  #started = false;
  #data: string[] = [];
  #heldChars = 0;
  #event = '';
  #id = '';
  #retryMs: number | null = null;

  /** The reconnection time the stream asked for last, or null. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /**
   * Takes the next piece of decoded text and gives the events it completes. An event cut off by the end of the
   * stream is never given, as the standard asks.
   * @throws RangeError where one event grows past 4 Mi characters.
   */
  push(text: string): SseMessage[] {
    if (text === '') return [];
    let rest = this.#skipLineFeed && text.startsWith('\n') ? text.slice(1) : text;
    this.#skipLineFeed = text.endsWith('\r');
    if (!this.#started && rest !== '') {
      this.#started = true;
      if (rest.startsWith('\uFEFF')) rest = rest.slice(1);
    }
    const lines = rest.split(/\r\n|\r|\n/);
    lines[0] = this.#unfinished + lines[0]!;
    this.#unfinished = lines.pop()!;
    const messages: SseMessage[] = [];
    for (const line of lines) {
      const message = this.#line(line);
      if (message) messages.push(message);
    }
    if (this.#unfinished.length + this.#heldChars > MAX_EVENT_CHARS)
      throw new RangeError(`an event of the stream is longer than ${MAX_EVENT_CHARS} characters`);
    return messages;
  }

  #line(line: string): SseMessage | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (field) {
      case 'data':
        this.#data.push(value);
        this.#heldChars += value.length + 1;
        break;
      case 'event':
        this.#event = value;
        break;
      case 'id':
        if (!value.includes('\0')) this.#id = value;
        break;
      case 'retry':
        if (/^\d+$/.test(value)) this.#retryMs = Number(value);
        break;
    }
    return null;
  }

  #dispatch(): SseMessage | null {
    const message =
      this.#data.length === 0
        ? null
        : { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    this.#data = [];
    this.#heldChars = 0;
    this.#event = '';
    return message;
  }
}
