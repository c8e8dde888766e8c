/** An endpoint that speaks OpenAI's `/audio/transcriptions`, and takes as long over each request as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * What is heard in a request, when it is to be said.
 * @param prompt Of the session: a test may tell them apart by it.
 * @param wav What was sent.
 */
export type Hear = (prompt: string | null, wav: Buffer) => Promise<string>;

export class PatientTranscriber {
  readonly #hear: Hear;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(hear: Hear) {
    this.#hear = hear;
  }

  /** Listens on a free port of this machine. */
  static async start(hear: Hear): Promise<PatientTranscriber> {
    const transcriber = new PatientTranscriber(hear);
    await new Promise<void>((resolve) => transcriber.#server.listen(0, '127.0.0.1', resolve));
    return transcriber;
  }

  /** The settings of a gateway that asks it. */
  get settings(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return { STT: 'openai', STT_MODEL: 'patient', STT_BASE_URL: `http://127.0.0.1:${port}/v1` };
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
      const text = await this.#hear(form.get('prompt') as string | null, wav);
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ text, language: 'en' }));
    } catch {
      // The gateway died while it was asking.
      response.destroy();
    }
  }
}
