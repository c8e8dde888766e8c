/** An endpoint that speaks OpenAI's `/audio/transcriptions` and hears the known clips without a mistake. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { whatIsSaid } from './known-speech.ts';

const WAV_HEADER_BYTES = 44;

export class KnowingTranscriber {
  /** How long it thinks over each request. */
  thinkMs = 0;
  /** Requests that were answered. */
  answered = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  /** Listens on a free port of this machine. */
  static async start(): Promise<KnowingTranscriber> {
    const transcriber = new KnowingTranscriber();
    await new Promise<void>((resolve) => transcriber.#server.listen(0, '127.0.0.1', resolve));
    return transcriber;
  }

  /** The settings of a gateway that asks it, and has no language model. */
  get settings(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    const base = `http://127.0.0.1:${port}/v1`;
    return { STT: 'openai', STT_MODEL: 'clips', STT_BASE_URL: base, STT_CONCURRENCY: '16', LLM: 'off' };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const headers = { 'content-type': request.headers['content-type']! };
      const form = await new Response(await buffer(request), { headers }).formData();
      const wav = Buffer.from(await (form.get('file') as File).arrayBuffer());
      if (this.thinkMs > 0) await sleep(this.thinkMs);
      const text = whatIsSaid(wav.subarray(WAV_HEADER_BYTES));
      this.answered++;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ text, language: 'en' }));
    } catch {
      // The gateway left while it was asking.
      response.destroy();
    }
  }
}
