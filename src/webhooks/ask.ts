/**
 * One HTTP request over a connection of its own, which the rule for addresses has judged. Node's own client, since
 * it takes the connection as it is given and holds back a host that sends faster than is read.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as requestOver } from 'node:http';
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { type DialParts, dial, judgedAddresses, NoAnswer } from './dial.ts';

const MAX_HEADER_BYTES = 16 * 1024;

export interface Question {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Throws where it breaks off, or the signal aborts. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Asks, and gives the answer to `read` once its headers are there. Redirects are answers like others. The connection
 * is closed when `read` is done: none is used twice, so each is judged by the rule and the names of its own time,
 * and none is held for a host that will hear nothing more for hours.
 * @param signal Bounds all of it; there is no other limit on time. Also ends a body that is being read.
 * @throws NoAnswer, what `read` throws, or anything once `signal` has aborted.
 */
export async function ask<T>(
  url: URL,
  question: Question,
  parts: DialParts,
  signal: AbortSignal,
  read: (answer: Answer) => Promise<T>,
): Promise<T> {
  const addresses = await orAborted(judgedAddresses(url, parts), signal);
  const socket = dial(url, addresses, parts.ca);
  addAbortSignal(signal, socket);
  try {
    const answer = await answerOver(socket, url, question);
    const { statusCode, headers } = answer;
    return await read({ status: statusCode!, headers, body: bodyOf(answer, socket) });
  } finally {
    socket.destroy();
  }
}

/** Nothing may be awaited between dialling and this: what the socket tells meanwhile would be lost. */
function answerOver(socket: Socket, url: URL, { method, headers, body }: Question): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let stage: NoAnswer['reason'] = 'connection';
    const fail = (error: Error & { readonly code?: string }) =>
      reject(new NoAnswer(error.code?.startsWith('HPE_') ? 'protocol' : stage, error));
    const request = requestOver({
      createConnection: () => socket,
      method,
      path: url.pathname + url.search,
      headers: { host: url.host, ...headers },
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    request.once('response', resolve);
    // Nobody asked to speak anything else.
    request.once('upgrade', () => reject(new NoAnswer('protocol')));
    request.on('error', fail);
    socket.on('error', fail);
    const isSecure = url.protocol === 'https:';
    if (isSecure)
      socket.once('connect', () => {
        stage = 'tls';
      });
    // Not a byte before the other side has proved itself.
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      stage = 'connection';
      request.end(body);
    });
  });
}

async function* bodyOf(answer: IncomingMessage, socket: Socket): AsyncGenerator<Uint8Array, void, undefined> {
  yield* answer;
  // Where only the end of the connection ends a body, Node takes any end for that, broken or cut off by ourselves.
  if (socket.errored) throw socket.errored;
}

/** What comes of `work`, unless the signal aborts first: then its reason, without waiting any longer. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
