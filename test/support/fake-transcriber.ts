/** An HTTP server that speaks OpenAI's `/audio/transcriptions` and `/audio/translations`, well or badly, as told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** How one request is answered. The last one given goes on for all requests after it. */
export type TranscriberReply =
  /** A JSON body of this. */
  | { readonly kind: 'answer'; readonly body: object }
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Never so much as a header. */
  | { readonly kind: 'silence' }
  /** Headers and half of a body, then nothing more until the client leaves. */
  | { readonly kind: 'stall' }
  /** Half of a body, then its end, in order or by a cut connection. */
  | { readonly kind: 'truncate'; readonly how: 'end' | 'cut' }
  /** A body that is no JSON, called JSON or not. */
  | { readonly kind: 'garbage'; readonly type: 'application/json' | 'text/html'; readonly text: string }
  /** Accepts the connection and drops it. */
  | { readonly kind: 'hangUp' };

/** A request as it arrived. */
export interface TranscriberRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  /** The form's fields but the file; of those that come several times, all. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
  readonly file: { readonly name: string; readonly bytes: Buffer };
  /** Resolves when the client closed the connection before the answer was complete. */
  readonly abandoned: Promise<void>;
}

export class FakeTranscriber {
  readonly requests: TranscriberRequest[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #reply: (request: TranscriberRequest) => TranscriberReply = () => ({ kind: 'answer', body: { text: '' } });

  /** Listens on a free port of this machine. */
  static async start(): Promise<FakeTranscriber> {
    const fake = new FakeTranscriber();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** What to give as the base URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Sets what the next requests get, in order, and forgets those that came before. */
  script(...replies: [TranscriberReply, ...TranscriberReply[]]): void {
    const left = [...replies];
    this.answerBy(() => (left.length > 1 ? left.shift()! : left[0]!));
  }

  /** Answers by what is asked from now on, and forgets those that came before. */
  answerBy(reply: (request: TranscriberRequest) => TranscriberReply): void {
    this.#reply = reply;
    this.requests.length = 0;
  }

  /** Resolves once so many requests have arrived. */
  async arrived(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const abandoned = new Promise<void>((resolve) => {
      response.once('close', () => !response.writableFinished && resolve());
    });
    const form = await formOf(request);
    const { url: path = '', headers } = request;
    const arrived = { path, authorization: headers.authorization, ...form, abandoned };
    this.requests.push(arrived);
    if (!/^\/v1\/audio\/(transcriptions|translations)$/.test(path))
      return void refuse(response, 404, 'not here', {});
    answer(response, this.#reply(arrived));
  }
}

async function formOf(request: IncomingMessage): Promise<Pick<TranscriberRequest, 'fields' | 'file'>> {
  const headers = { 'content-type': request.headers['content-type']! };
  const form = await new Response(await buffer(request), { headers }).formData();
  const fields: Record<string, string | string[]> = {};
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name).filter((value) => typeof value === 'string');
    if (values.length > 0) fields[name] = name.endsWith('[]') ? values : values[0]!;
  }
  const file = form.get('file') as File;
  return { fields, file: { name: file.name, bytes: Buffer.from(await file.arrayBuffer()) } };
}

const HALF = '{"text":"Half of';

function answer(response: ServerResponse, reply: TranscriberReply): void {
  switch (reply.kind) {
    case 'silence':
      return;
    case 'hangUp':
      response.destroy();
      return;
    case 'refuse':
      return void refuse(response, reply.status, reply.message ?? 'refused', reply.headers ?? {});
    case 'answer':
      return void send(response, 200, JSON.stringify(reply.body), {});
    case 'garbage':
      return void send(response, 200, reply.text, { 'content-type': reply.type });
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write(HALF);
      return;
    case 'truncate':
      if (reply.how === 'end') return void send(response, 200, HALF, {});
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write(HALF, () => setImmediate(() => response.destroy()));
      return;
  }
}

function refuse(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>>,
): void {
  send(response, status, JSON.stringify({ error: { message, type: 'error' } }), headers);
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}
