import { EarshotError, type ErrorCode } from './error.ts';

/** How requests reach the gateway. */
export interface HttpOptions {
  /** The gateway's address; a path in it is kept, so a gateway behind a prefix works. */
  readonly url: string | URL;
  /** An API key or a token; sent as `Authorization: Bearer`. */
  readonly credential?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** What goes with a request. */
export interface CallOptions {
  /** Sent as JSON, unless it is a body that `fetch` knows what to do with and `headers` says its type. */
  readonly json?: unknown;
  readonly body?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** Requests with the gateway's address and credential, and its problems as {@link EarshotError}. */
export class Http {
  readonly credential: string | undefined;
  readonly #base: URL;
  readonly #fetch: typeof fetch;

  constructor(options: HttpOptions) {
    this.#base = new URL(options.url);
    if (!this.#base.pathname.endsWith('/')) this.#base.pathname += '/';
    this.credential = options.credential;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** @param path Without a leading slash. */
  address(path: string, query: CallOptions['query'] = {}): URL {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  authorization(): Record<string, string> {
    return this.credential ? { authorization: `Bearer ${this.credential}` } : {};
  }

  /**
   * Sends a request and waits for the head of a successful answer.
   * @throws EarshotError the gateway's problem by its code, or `unreachable`; the signal's reason when aborted.
   */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const { json, body, headers, query, signal } = options;
    const url = this.address(path, query);
    let response: Response;
    try {
      response = await this.#fetch(url, {
        method,
        headers: {
          ...this.authorization(),
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
        // Node asks for `duplex` where a body is a stream; browsers ignore it.
        ...(body != null && { body, duplex: 'half' }),
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new EarshotError('unreachable', `no answer from ${url.origin}`, { cause: error });
    }
    if (!response.ok) throw problemOf(response.status, response.headers, await bodyText(response));
    return response;
  }

  /** Sends a request and reads a JSON answer. */
  async json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.call(method, path, options);
    return parseAnswer<T>(await bodyText(response), response.status);
  }
}

/** A body that breaks off is told like any other lost connection. */
async function bodyText(response: Response): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    throw new EarshotError('connection_lost', 'the answer broke off', { cause: error });
  }
}

/** @throws EarshotError `unexpected_answer` where it is not JSON. */
export function parseAnswer<T>(text: string, status: number): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    const message = 'the answer is not JSON: is this the address of an Earshot gateway?';
    throw new EarshotError('unexpected_answer', message, { cause: error, status });
  }
}

/** Reads `application/problem+json` (RFC 9457) with the gateway's `code` and `requestId`. */
export function problemOf(status: number, headers: Pick<Headers, 'get'>, text: string): EarshotError {
  const retryAfterS = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(retryAfterS) ? retryAfterS * 1000 : undefined;
  let problem: { code?: unknown; title?: unknown; detail?: unknown; requestId?: unknown } | null = null;
  try {
    problem = JSON.parse(text);
  } catch {
    // Not from the gateway: a proxy's page, most likely. The status is all there is to go by.
  }
  if (typeof problem?.code !== 'string') {
    const code = status === 503 || status === 502 || status === 504 ? 'overloaded' : 'unexpected_answer';
    return new EarshotError(code, `the answer was HTTP ${status}`, { status, retryAfterMs });
  }
  return new EarshotError(
    problem.code as ErrorCode,
    String(problem.detail ?? problem.title ?? problem.code),
    {
      status,
      retryAfterMs,
      requestId: typeof problem.requestId === 'string' ? problem.requestId : undefined,
    },
  );
}
