/** Makes postgres.js clients that fail soon while the database is away, and are well again soon after. */
import { connect as openSocket, type Socket } from 'node:net';
import postgres, { type Sql } from 'postgres';

export interface ConnectOptions {
  /** Connections at most. */
  readonly max: number;
  /** Server settings of each connection, e.g. `statement_timeout`. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** What postgres.js tells the maker of its sockets. */
interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  /** Of a unix socket; false where there is none. */
  readonly path: string | false;
}

const CONNECT_TIMEOUT_S = 3;
const RECONNECT_DELAY_S = 0.2;

/**
 * A socket that takes it for an error when the other side hangs up without a word, as a proxy does whose
 * database is away: postgres.js would dial again at once, without end, and never tell whoever waits.
 */
function dialler(): (target: Target) => Socket {
  let dialled = 0;
  return ({ host, port, path }) => {
    // Where several hosts are named, each is tried in turn, one per attempt.
    const turn = dialled++ % host.length;
    const socket = path ? openSocket(path) : openSocket(port[turn]!, host[turn]!);
    socket.on('end', () => {
      if (socket.bytesRead > 0) return;
      socket.destroy(Object.assign(new Error('hung up without a word'), { code: 'ECONNRESET' }));
    });
    // TLS asks the socket which host it was meant for.
    return path ? socket : Object.assign(socket, { host: host[turn]! });
  };
}

/**
 * @param url `postgresql://user:password@host:port/database`; `?host=/folder` names the folder of a unix
 * socket, as in libpq, and other parameters are postgres.js's options or server settings.
 */
export function connect(url: string, { max, settings }: ConnectOptions): Sql {
  const address = new URL(url);
  const socketFolder = address.searchParams.get('host');
  address.searchParams.delete('host');
  const options = {
    ...(socketFolder && { host: socketFolder }),
    max,
    connect_timeout: CONNECT_TIMEOUT_S,
    // Made anew only where one is lost: prepared statements of the embedded database outlive its connections.
    max_lifetime: null,
    backoff: () => RECONNECT_DELAY_S,
    connection: { application_name: 'earshot', ...settings },
    onnotice: () => {},
    socket: dialler(),
  };
  return postgres(address.href, options);
}
