/** What is no HTTP, or none that can be answered by a face, is told so in the same way as everything else. */
import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { RequestError } from '@hono/node-server';
import { Failure } from '../domain/failure.ts';
import type { NewId } from '../domain/ids.ts';
import { problemOf } from './problem.ts';

/** Answers a request whose address or `Host` make no URL. */
export function malformedRequest(newId: NewId): (error: unknown) => Response {
  return (error) => {
    const failure =
      error instanceof RequestError
        ? new Failure('bad_request', 'The address or the Host header of the request is malformed.')
        : error;
    const { status, headers, body } = problemOf(failure, newId('req'));
    return new Response(body, { status, headers });
  };
}

/** Answers bytes that Node cannot read as HTTP, and closes their connection. */
export function answerMalformed(server: Server, newId: NewId): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const { status, headers, body } = problemOf(failureOf(error), newId('req'));
    const lines = Object.entries({
      ...headers,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  });
}

function failureOf(error: NodeJS.ErrnoException): Failure {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Failure('payload_too_large', 'The headers of the request are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Failure('bad_request', 'The headers of the request took too long.');
    default:
      return new Failure('bad_request', 'This is not HTTP.');
  }
}
