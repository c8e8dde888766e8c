/** Clients that begin to open a WebSocket, and do it badly. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../src/flow/chance.ts';

/**
 * `half`: stops in the midst of its request. `slow`: a byte of it now and then. `bad_token`: refused after the upgrade.
 * `deaf`: refused, and never answers the goodbye. `reset`: gone while it is looked at. `garbage`: speaks no HTTP.
 */
export const HANDSHAKES = ['half', 'slow', 'bad_token', 'deaf', 'reset', 'garbage'] as const;
export type Handshake = (typeof HANDSHAKES)[number];

/** How long one waits for an answer that it may not get; what hangs then is left to the gateway. */
const PATIENCE_MS = 400;

/** The same for an answer that is due, however busy the machine. */
const ANSWER_MS = 30_000;

const requestFor = (host: string): string =>
  [
    'GET /v1/sessions/ses_none/stream?token=ek_forged HTTP/1.1',
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n');

function dial(url: string): Promise<Socket> {
  const { hostname: host, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(socket));
    socket.on('error', reject);
    // Whatever becomes of it later is the gateway's decision.
    socket.on('error', () => {});
  });
}

/** What a connection was told: up to its end, to some words, or to the end of patience. */
async function heard(socket: Socket, words: string | null, patienceMs: number): Promise<string> {
  let text = '';
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (words !== null && text.includes(words)) resolve();
    });
    socket.once('close', () => resolve());
    socket.once('close', () => clearTimeout(timer));
  });
  return text;
}

/**
 * Tries to open a WebSocket in a bad way.
 * @returns What it was told, and its connection, which may still be open.
 */
export async function shakeHands(
  url: string,
  how: Handshake,
  random: Random,
): Promise<{ told: string; socket: Socket }> {
  const socket = await dial(url);
  const request = requestFor(new URL(url).host);
  switch (how) {
    case 'half':
      socket.write(request.slice(0, 1 + Math.floor((request.length - 3) * random())));
      break;
    case 'slow':
      for (let at = 0; at < 10; at++) {
        socket.write(request[at]!);
        await sleep(20);
      }
      break;
    case 'reset':
      socket.write(request);
      await sleep(20 * random());
      socket.resetAndDestroy();
      break;
    case 'garbage':
      socket.write(Buffer.from(Array.from({ length: 200 }, () => Math.floor(256 * random()))));
      break;
    case 'deaf':
      socket.write(request);
      break;
    case 'bad_token': {
      socket.write(request);
      const told = await heard(socket, '"unauthorized"', ANSWER_MS);
      // Masked, as a client's frames are: the close that answers the gateway's.
      socket.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
      return { told, socket };
    }
  }
  return { told: await heard(socket, null, PATIENCE_MS), socket };
}
