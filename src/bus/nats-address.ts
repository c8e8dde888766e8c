/** A NATS address as people write it, taken apart: the client library knows neither schemes nor credentials. */
import type { ConnectionOptions } from '@nats-io/transport-node';
import { Failure } from '../domain/failure.ts';

export type NatsAddress = Pick<ConnectionOptions, 'servers' | 'tls' | 'user' | 'pass' | 'token'>;

function parse(part: string): { url: URL; user: string; pass: string } | null {
  try {
    const url = new URL(part.trim());
    if (!['nats:', 'tls:'].includes(url.protocol) || url.hostname === '') return null;
    return { url, user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  } catch {
    return null;
  }
}

/**
 * @param address `nats://user:password@host:port`, or `tls://` for a connection that must be encrypted; a name
 * alone before the `@` is a token. Several servers are separated by commas, and share the first credentials.
 * @throws Failure `bad_request`
 */
export function natsAddress(address: string): NatsAddress {
  const servers = address.split(',').map((part) => {
    const server = parse(part);
    // The address is not quoted: it may hold a password.
    if (!server) throw new Failure('bad_request', 'The NATS address must be of the form nats://host:port.');
    return server;
  });
  const login = servers.find(({ user }) => user !== '');
  return {
    servers: servers.map(({ url }) => url.host),
    ...(servers.some(({ url }) => url.protocol === 'tls:') && { tls: {} }),
    ...(login && (login.pass === '' ? { token: login.user } : { user: login.user, pass: login.pass })),
  };
}
