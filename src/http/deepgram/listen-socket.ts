/** One connection of a Deepgram client: audio and a few words up, results down, and a session of ours for each channel. */
import { createHash } from 'node:crypto';
import type { WebSocket } from 'ws';
import { Failure } from '../../domain/failure.ts';
import type { SessionOptions } from '../../domain/options.ts';
import type { HttpParts } from '../parts.ts';
import { Socket, type SocketHandler } from '../socket.ts';
import { aboutOf, resultsMetadataOf } from './about.ts';
import { Channel, type ChannelEnd } from './channel.ts';
import { readClientMessage } from './client-message.ts';
import type { ListenWishes } from './listen-query.ts';
import type { ErrorMessage, Metadata } from './messages.ts';
import { Patience } from './patience.ts';
import { closeOf } from './problem.ts';
import type { ChannelManner } from './results.ts';

/** A client that sends neither audio nor `KeepAlive` for so long is let go. */
const SILENCE_MS = 10_000;

/** How often it is looked whether nobody speaks any more, where that is to be told. */
const SETTLE_EVERY_MS = 100;

/** Who connects, and what for. */
export interface ListenRequest {
  readonly tenantId: string;
  readonly requestId: string;
  readonly wishes: ListenWishes;
}

export class ListenSocket implements SocketHandler {
  readonly #socket: Socket;
  readonly #parts: HttpParts;
  readonly #request: ListenRequest;
  readonly #patience: Patience;
  readonly #hash = createHash('sha256');
  #channels: readonly Channel[] = [];
  #closing = false;

  constructor(ws: WebSocket, request: ListenRequest, parts: HttpParts) {
    this.#parts = parts;
    this.#request = request;
    this.#socket = new Socket(ws, this, parts);
    const silenceMs = Math.min(SILENCE_MS, parts.limits.idleMs);
    this.#patience = new Patience(parts.clock, silenceMs, () => this.#giveUp(silenceMs));
  }

  /** Serves the connection until it closes. */
  serve(): void {
    this.#socket.queue(() => this.#begin());
  }

  /** @inheritdoc */
  async message(bytes: Buffer, isBinary: boolean): Promise<void> {
    if (this.#closing) return;
    this.#patience.stop();
    await this.#take(bytes, isBinary);
    if (!this.#closing) this.#patience.restart();
  }

  /** @inheritdoc */
  failed(reason: Failure): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#patience.stop();
    const close = closeOf(reason);
    this.#socket.close(close.code, close.reason);
  }

  /** Nobody comes back to a session of this kind: it ends with its connection. */
  async gone(): Promise<void> {
    this.#patience.stop();
    await this.#end();
  }

  async #begin(): Promise<void> {
    const { wishes } = this.#request;
    const channels: Channel[] = [];
    this.#channels = channels;
    // One after another: so many are admitted as there is room for.
    for (const [index, options] of wishes.options.entries()) channels.push(await this.#open(index, options));
    if (this.#socket.gone.aborted) return;
    for (const { ended } of channels)
      void ended.then(({ reason }) => reason !== 'done' && this.#socket.fail(reason));
    void Promise.all(channels.map(({ ended }) => ended)).then((ends) => this.#finish(ends));
    if (wishes.utteranceEndMs !== null)
      this.#socket.every(SETTLE_EVERY_MS, () => {
        for (const channel of channels) channel.settle();
      });
    this.#socket.keepAlive();
    this.#patience.restart();
  }

  async #open(index: number, options: SessionOptions): Promise<Channel> {
    const { tenantId, requestId, wishes } = this.#request;
    const manner: ChannelManner = {
      index: [index, wishes.options.length],
      metadata: resultsMetadataOf(requestId, this.#parts.abilities.modelName),
      tellsLanguage: options.language === 'auto',
      pauseMs: options.endpointing.silenceMs,
      maxUtteranceMs: options.endpointing.maxUtteranceMs,
      ...wishes,
    };
    return await Channel.open({ tenantId, options }, this.#socket, manner, this.#parts);
  }

  async #take(bytes: Buffer, isBinary: boolean): Promise<void> {
    if (isBinary) return await this.#hear(bytes);
    const message = readClientMessage(bytes.toString('utf8'));
    switch (message.type) {
      case 'KeepAlive':
        for (const channel of this.#channels) channel.keepAlive();
        return;
      case 'Finalize':
        await Promise.all(this.#channels.map((channel) => channel.finalize()));
        return;
      case 'CloseStream':
        return await this.#end();
      case 'unknown': {
        const description = `There is no message ${message.given}; KeepAlive, Finalize and CloseStream there are.`;
        const error: ErrorMessage = {
          type: 'Error',
          variant: 'SchemaError',
          description,
          message: message.text,
        };
        this.#socket.send(error);
      }
    }
  }

  async #hear(bytes: Buffer): Promise<void> {
    // Old clients say so that there is no more.
    if (bytes.length === 0) return await this.#end();
    this.#hash.update(bytes);
    const { maxFrameBytes } = this.#parts.limits;
    for (let at = 0; at < bytes.length; at += maxFrameBytes) {
      const piece = bytes.subarray(at, at + maxFrameBytes);
      await Promise.all(this.#channels.map((channel) => channel.push(piece)));
    }
  }

  async #end(endedBy?: 'timeout'): Promise<void> {
    await Promise.all(this.#channels.map((channel) => channel.end(endedBy)));
  }

  #giveUp(silenceMs: number): void {
    this.failed(new Failure('idle_timeout', `Neither audio nor a message came for ${silenceMs} ms.`));
    this.#socket.queue(() => this.#end('timeout'));
  }

  /** Everything was said on all channels: what it was said of, and goodbye. */
  #finish(ends: readonly ChannelEnd[]): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#patience.stop();
    const { requestId, wishes } = this.#request;
    const about: Metadata = {
      type: 'Metadata',
      ...aboutOf({
        requestId,
        model: this.#parts.abilities.modelName,
        sha256: this.#hash.digest('hex'),
        createdAt: this.#channels[0]!.createdAt,
        durationMs: Math.max(...ends.map(({ receivedMs }) => receivedMs)),
        channels: ends.length,
        ...wishes,
      }),
    };
    this.#socket.send(about);
    this.#socket.close(1000);
  }
}
