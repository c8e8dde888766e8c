/** What tests of Deepgram's interface share: a socket that speaks it, and audio for it. */
import { WebSocket } from 'ws';
import { pcmOf, silence } from '../../support/speech.ts';

export interface Received {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape.
  readonly [field: string]: any;
}

/** A sentence with silence around it: 16 kHz, 16 bit, mono. */
export const sentence = (name = 'austen-0880.wav', before = 300, after = 900): Buffer =>
  Buffer.concat([silence(before), pcmOf(name), silence(after)]);

/** Two mono tracks as the two channels of one. */
export function interleaved(left: Buffer, right: Buffer): Buffer {
  const frames = Math.max(left.length, right.length) / 2;
  const both = Buffer.alloc(4 * frames);
  for (let at = 0; at < frames; at++) {
    if (2 * at < left.length) both.writeInt16LE(left.readInt16LE(2 * at), 4 * at);
    if (2 * at < right.length) both.writeInt16LE(right.readInt16LE(2 * at), 4 * at + 2);
  }
  return both;
}

/** A connection that keeps what it is told. */
export class DeepgramSocket {
  readonly messages: Received[] = [];
  readonly socket: WebSocket;
  readonly opened: Promise<void>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  #wake: (() => void)[] = [];

  constructor(
    url: string,
    query: Readonly<Record<string, string | number | boolean | readonly string[]>> = {},
    options: { protocols?: string[]; headers?: Record<string, string> } = {},
  ) {
    const address = new URL(`${url.replace(/^http/, 'ws')}/v1/listen`);
    for (const [name, value] of Object.entries(query))
      for (const each of Array.isArray(value) ? value : [String(value)])
        address.searchParams.append(name, each);
    this.socket = new WebSocket(address, options.protocols ?? [], { headers: options.headers ?? {} });
    const wake = () => {
      for (const woken of this.#wake.splice(0)) woken();
    };
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)));
      wake();
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.on('open', resolve);
      this.socket.on('error', reject);
    });
    this.opened.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: String(reason) });
        wake();
      });
    });
  }

  /** Sends audio in frames of a fifth of a second of 16 kHz. */
  async say(bytes: Uint8Array, frameBytes = 6400): Promise<void> {
    await this.opened;
    for (let at = 0; at < bytes.length; at += frameBytes)
      this.socket.send(bytes.subarray(at, at + frameBytes));
  }

  async tell(type: string): Promise<void> {
    await this.opened;
    this.socket.send(JSON.stringify({ type }));
  }

  /** The first message that fits, as soon as it has come. */
  async next(type: string, fits: (message: Received) => boolean = () => true): Promise<Received> {
    for (;;) {
      const found = this.messages.find((message) => message.type === type && fits(message));
      if (found) return found;
      if (this.socket.readyState === WebSocket.CLOSED)
        throw new Error(
          `closed before ${type}; got ${this.messages.map((message) => message.type).join(', ')}`,
        );
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  all(type: string): Received[] {
    return this.messages.filter((message) => message.type === type);
  }

  finals(): Received[] {
    return this.all('Results').filter(({ is_final }) => is_final);
  }

  /** The text of the finals of a channel. */
  text(channel = 0): string {
    return this.finals()
      .filter(({ channel_index: [index] }) => index === channel)
      .map((result) => result.channel.alternatives[0].transcript)
      .filter((text) => text !== '')
      .join(' ');
  }
}

/** What the server answers to a handshake that it refuses. */
export async function refusal(
  url: string,
  query: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; error: string; requestId: string }> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/listen?${query}`, { headers });
  return await new Promise((resolve, reject) => {
    socket.on('open', () => {
      socket.terminate();
      reject(new Error(`${query} was taken`));
    });
    socket.on('error', () => {});
    socket.on('unexpected-response', (_request, response) => {
      resolve({
        status: response.statusCode!,
        error: String(response.headers['dg-error']),
        requestId: String(response.headers['dg-request-id']),
      });
      response.resume();
    });
  });
}
