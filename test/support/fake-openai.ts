/** An HTTP server that speaks OpenAI's chat completions, well or badly, as told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** How one request is answered. The last one given goes on for all requests after it. */
export type FakeReply =
  | {
      readonly kind: 'answer';
      readonly pieces: readonly string[];
      readonly finishReason?: string;
      /** Left out: no usage is sent, as by servers that do not know `stream_options`. */
      readonly usage?: { readonly promptTokens: number; readonly completionTokens: number };
      /** Between two pieces. */
      readonly delayMs?: number;
    }
  /** Headers and these pieces, then nothing more until the client leaves. */
  | { readonly kind: 'stall'; readonly pieces: readonly string[] }
  /** Never so much as a header. */
  | { readonly kind: 'silence' }
  /** These pieces, then the end of the stream without a finish reason: in order, or by a cut connection. */
  | { readonly kind: 'truncate'; readonly pieces: readonly string[]; readonly how: 'end' | 'cut' }
  /** These pieces and a finish reason, then a cut connection in place of usage and `[DONE]`. */
  | { readonly kind: 'cutAfterFinish'; readonly pieces: readonly string[] }
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly error?: { readonly code?: string; readonly type?: string; readonly message?: string };
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** An error event in the stream, after a 200 and these pieces. */
  | {
      readonly kind: 'errorEvent';
      readonly pieces: readonly string[];
      readonly error: { readonly message: string; readonly code?: string };
    }
  /** This text in place of a chunk, as the data of an event. */
  | { readonly kind: 'garbage'; readonly data: string }
  /** Accepts the connection and drops it. */
  | { readonly kind: 'hangUp' };

/** A request as it arrived. */
export interface FakeRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly stream?: boolean;
    readonly stream_options?: { readonly include_usage?: boolean };
    readonly max_tokens?: number;
    readonly max_completion_tokens?: number;
  };
  /** Resolves when the client closed the connection before the answer was complete. */
  readonly abandoned: Promise<void>;
}

export class FakeOpenAi {
  readonly requests: FakeRequest[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #script: FakeReply[] = [{ kind: 'answer', pieces: ['Hello', ' there.'] }];

  /** Listens on a free port of this machine. */
  static async start(): Promise<FakeOpenAi> {
    const fake = new FakeOpenAi();
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** What to give as the base URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Sets what the next requests get, in order, and forgets those that came before. */
  script(...replies: [FakeReply, ...FakeReply[]]): void {
    this.#script = [...replies];
    this.requests.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await text(request)) || '{}') as FakeRequest['body'];
    const abandoned = new Promise<void>((resolve) => {
      response.once('close', () => !response.writableFinished && resolve());
    });
    const { url: path = '', headers } = request;
    this.requests.push({ path, authorization: headers.authorization, body, abandoned });
    if (path !== '/v1/chat/completions') return void refuse(response, 404, {}, {});
    const reply = this.#script.length > 1 ? this.#script.shift()! : this.#script[0]!;
    await answer(response, reply, body);
  }
}

async function answer(response: ServerResponse, reply: FakeReply, body: FakeRequest['body']): Promise<void> {
  switch (reply.kind) {
    case 'silence':
      return;
    case 'hangUp':
      return void response.destroy();
    case 'refuse':
      return refuse(response, reply.status, reply.error ?? {}, reply.headers ?? {});
    case 'garbage':
      return void begin(response).end(`data: ${reply.data}\n\n`);
    case 'answer':
      return body.stream ? stream(response, reply, body) : void whole(response, reply, body);
  }
  begin(response);
  for (const piece of reply.pieces) send(response, chunk(body, piece, null));
  switch (reply.kind) {
    case 'stall':
      return;
    case 'truncate':
      return reply.how === 'end' ? void response.end() : cut(response);
    case 'cutAfterFinish':
      send(response, chunk(body, '', 'stop'));
      return cut(response);
    case 'errorEvent':
      send(response, { error: { type: 'server_error', ...reply.error } });
      return void response.end();
  }
}

type Answer = Extract<FakeReply, { kind: 'answer' }>;

async function stream(response: ServerResponse, reply: Answer, body: FakeRequest['body']): Promise<void> {
  begin(response);
  for (const piece of reply.pieces) {
    send(response, chunk(body, piece, null));
    if (reply.delayMs) await new Promise((resolve) => setTimeout(resolve, reply.delayMs));
    if (response.destroyed) return;
  }
  send(response, chunk(body, '', reply.finishReason ?? 'stop'));
  if (reply.usage && body.stream_options?.include_usage)
    send(response, { ...chunk(body, '', null), choices: [], usage: usageOf(reply.usage) });
  response.end('data: [DONE]\n\n');
}

function whole(response: ServerResponse, reply: Answer, body: FakeRequest['body']): void {
  const message = { role: 'assistant', content: reply.pieces.join('') };
  json(response, 200, {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: body.model,
    choices: [{ index: 0, message, finish_reason: reply.finishReason ?? 'stop' }],
    ...(reply.usage && { usage: usageOf(reply.usage) }),
  });
}

const usageOf = ({ promptTokens, completionTokens }: NonNullable<Answer['usage']>) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

const chunk = (body: FakeRequest['body'], content: string, finishReason: string | null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 0,
  model: body.model,
  choices: [{ index: 0, delta: content === '' ? {} : { content }, finish_reason: finishReason }],
});

function begin(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  return response;
}

function send(response: ServerResponse, data: object): void {
  response.write(`data: ${JSON.stringify(data)}\n\n`);
}

/** After what was written has left. */
function cut(response: ServerResponse): void {
  response.write(': \n', () => setImmediate(() => response.destroy()));
}

function refuse(
  response: ServerResponse,
  status: number,
  error: { code?: string; type?: string; message?: string },
  headers: Readonly<Record<string, string>>,
): void {
  json(response, status, { error: { message: 'refused', type: 'error', ...error } }, headers);
}

function json(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
