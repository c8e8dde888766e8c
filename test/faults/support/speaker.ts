/** A client that speaks into a gateway through a network that breaks, and keeps all it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Earshot } from '../../../src/client/earshot.ts';
import type { LiveStream } from '../../../src/client/live-stream.ts';
import type { SessionRequest } from '../../../src/client/wire.ts';
import type { DurableEvent, SessionEvent } from '../../../src/domain/event.ts';
import { isDurable } from '../../../src/domain/event.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { FastTiming } from './fast-timing.ts';
import { MS_BYTES, type Talk } from './known-speech.ts';

/** Audio that is handed over at a time. */
const PIECE_MS = 100;

/** Clips end in a silence of 130 to 210 ms: so much before their end all is said, and nobody could tell yet. */
const SILENT_END_MS = 150;

/** How far the start of a final may be from where its clip begins: what is kept before speech, and then some. */
const START_TOLERANCE_MS = 500;

export interface SpeakerOptions {
  /** How much faster than in reality everybody speaks, and the client's time passes. */
  readonly factor: number;
  readonly request?: SessionRequest;
  readonly apiKey?: string;
}

export class Speaker {
  readonly stream: LiveStream;
  readonly talk: Talk;
  readonly events: SessionEvent[] = [];
  readonly #factor: number;
  readonly #read: Promise<void>;
  #spokenMs = 0;

  private constructor(stream: LiveStream, talk: Talk, factor: number) {
    this.stream = stream;
    this.talk = talk;
    this.#factor = factor;
    this.#read = (async () => {
      for await (const event of stream) this.events.push(event);
    })();
    this.#read.catch(() => {});
  }

  /** Opens a session at `url`, which is where its stream then goes too; resolves when it is connected. */
  static async start(url: string, talk: Talk, options: SpeakerOptions): Promise<Speaker> {
    const { factor, request, apiKey } = options;
    const timing = new FastTiming();
    const client = new Earshot({ url, apiKey, WebSocket, timing });
    const { promise: connected, resolve: connect } = withResolvers();
    const stream = await client.stream(
      { partials: false, language: 'en', ...request },
      {
        // Patient enough for every fault: how soon a lost connection is given up is not the question here.
        patienceMs: 3_600_000,
        onStatus: (status) => status === 'open' && connect(),
      },
    );
    await Promise.race([connected, stream.receipt]);
    // How soon it is first connected depends on the machine, and is not hurried.
    timing.run(factor);
    return new Speaker(stream, talk, factor);
  }

  get lengthMs(): number {
    return this.talk.audio.length / MS_BYTES;
  }

  /** Speaks on until so much of the talk has been handed over. */
  async speakUntil(untilMs: number): Promise<void> {
    const { audio } = this.talk;
    while (this.#spokenMs < untilMs) {
      const endMs = Math.min(untilMs, this.#spokenMs + PIECE_MS);
      await this.stream.ready();
      this.stream.send(audio.subarray(Math.floor(this.#spokenMs) * MS_BYTES, Math.floor(endMs) * MS_BYTES));
      await sleep((endMs - this.#spokenMs) / this.#factor);
      this.#spokenMs = endMs;
    }
  }

  /** Speaks on to the last word of a clip, and not as far as anybody could take it for the last. */
  async speakThrough(clip: number): Promise<void> {
    await this.speakUntil(this.talk.said[clip]!.endMs - SILENT_END_MS);
  }

  /** Speaks to the end, and resolves with the receipt once everything that was told has been read. */
  async finish(): Promise<Receipt> {
    await this.speakUntil(this.lengthMs);
    const receipt = await this.stream.end();
    await this.#read;
    return receipt;
  }

  /** What was told for good, in the order it came. */
  get durable(): DurableEvent[] {
    return this.events.filter(isDurable);
  }

  /** What is wrong with the finals that were told of what was said by now; empty where nothing is. */
  faults(receipt: Receipt): string[] {
    const { said } = this.talk;
    const finals = this.durable.filter((event) => event.type === 'transcript.final');
    const faults: string[] = [];
    const check = (isRight: boolean, fault: string) =>
      isRight || faults.push(`${this.stream.sessionId}: ${fault}`);
    check(finals.length === said.length, `${finals.length} finals of ${said.length} utterances`);
    for (const [at, { text, startMs }] of finals.entries()) {
      const isThere = Math.abs(startMs - (said[at]?.startMs ?? Number.NaN)) <= START_TOLERANCE_MS;
      check(text === said[at]?.text && isThere, `final ${at} at ${startMs} ms is "${text}"`);
    }
    for (const [at, { seq, type }] of this.durable.entries())
      check(seq === at + 1, `${type} ${seq} came as ${at + 1}.`);
    const { receivedMs, transcribedMs, silenceMs, suppressedMs } = receipt;
    const heardMs = finals.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
    check(receivedMs === this.lengthMs, `${receivedMs} ms received of ${this.lengthMs}`);
    check(receivedMs === transcribedMs + silenceMs + suppressedMs, 'the receipt does not add up');
    check(transcribedMs === heardMs, `${transcribedMs} ms transcribed, ${heardMs} in finals`);
    check(suppressedMs === 0 && receipt.finals === said.length, `receipt of ${receipt.finals} finals`);
    check(receipt.endedBy === 'client', `ended by ${receipt.endedBy}`);
    return faults;
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
