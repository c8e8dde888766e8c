/** A model hub on loopback that can be told to misbehave. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = 'c0ffee0123456789c0ffee0123456789c0ffee01';

/** Answers instead of the hub; each is used for one request for its file, in order. */
export type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

export interface FakeHub {
  readonly url: string;
  /** Path, and range where one was asked for, of every request. */
  readonly requests: string[];
  /** What is to be served, by name. */
  readonly files: Map<string, Buffer>;
  /** Coming answers for a file, or for the listing (`''`). */
  readonly answers: Map<string, Answer[]>;
  /** Announced in place of the truth. */
  readonly announced: Map<string, { size?: number; sha256?: string; git?: string }>;
  close(): Promise<void>;
}

const sha = (algorithm: string, ...parts: (Buffer | string)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest('hex');

export async function fakeHub(owner: string, name: string): Promise<FakeHub> {
  const requests: string[] = [];
  const files = new Map<string, Buffer>();
  const answers: FakeHub['answers'] = new Map();
  const announced: FakeHub['announced'] = new Map();

  const listing = () => ({
    sha: COMMIT,
    siblings: [...files].map(([rfilename, body]) => {
      const lie = announced.get(rfilename);
      const size = lie?.size ?? body.length;
      // As on the real Hub: large files have a SHA-256, small ones the id of a git blob.
      return rfilename.endsWith('.safetensors')
        ? { rfilename, size, lfs: { size, sha256: lie?.sha256 ?? sha('sha256', body) } }
        : { rfilename, size, blobId: lie?.git ?? sha('sha1', `blob ${body.length}\0`, body) };
    }),
  });

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://hub');
    const range = request.headers.range;
    requests.push(range ? `${pathname} ${range}` : pathname);
    const storage = '/storage/';
    const resolve = `/${owner}/${name}/resolve/${COMMIT}/`;
    if (pathname.startsWith(resolve)) {
      response.writeHead(302, { location: storage + pathname.slice(resolve.length) }).end();
      return;
    }
    const isListing = pathname.startsWith(`/api/models/${owner}/${name}/revision/`);
    const file = isListing ? '' : pathname.slice(storage.length);
    const body = isListing ? Buffer.from(JSON.stringify(listing())) : files.get(file);
    if (!body) {
      response.writeHead(404).end('no such file');
      return;
    }
    (answers.get(file)?.shift() ?? serve)(request, response, body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    files,
    answers,
    announced,
    close: async () => {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}

/** As it should be, ranges included. */
export const serve: Answer = (request, response, body) => {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (from === 0) response.writeHead(200, { 'content-length': body.length }).end(body);
  else if (from >= body.length) response.writeHead(416).end();
  else
    response
      .writeHead(206, {
        'content-length': body.length - from,
        'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
      })
      .end(body.subarray(from));
};

/** Sends the first bytes of what it should and breaks the connection. */
export const cutAfter =
  (count: number): Answer =>
  (request, response, body) => {
    const socket = response.socket!;
    const cut = (head: number, headers: Record<string, number | string>, rest: Buffer) => {
      response.writeHead(head, headers);
      response.write(rest.subarray(0, count), () => setTimeout(() => socket.destroy(), 20));
    };
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const rest = body.subarray(from);
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    if (from === 0) cut(200, { 'content-length': body.length }, body);
    else cut(206, { 'content-length': rest.length, 'content-range': range }, rest);
  };

/** Sends all of it, whatever was asked for. */
export const ignoreRange: Answer = (_, response, body) => {
  response.writeHead(200, { 'content-length': body.length }).end(body);
};

/** Sends something else, with a length that is right for it. */
export const sendInstead =
  (other: Buffer): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-length': other.length }).end(other);
  };

/** Answers a request for a range with another one. */
export const otherRange: Answer = (_, response, body) => {
  const headers = {
    'content-length': body.length,
    'content-range': `bytes 0-${body.length - 1}/${body.length}`,
  };
  response.writeHead(206, headers).end(body);
};

export const status =
  (code: number): Answer =>
  (_, response) => {
    response.writeHead(code).end();
  };

/** Sends a little and then nothing, and keeps the connection open. */
export const stall: Answer = (_, response, body) => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.subarray(0, 10));
};
