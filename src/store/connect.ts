/** Makes postgres.js clients that fail soon while the database is away, and are well again soon after. */
import { connect as openSocket, type Socket } from 'node:net';
import postgres, { type Sql, type TransactionSql } from 'postgres';

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

/** Whether a query failed because its connection is gone: an error of the socket, or the last word of the server. */
function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return severity === 'FATAL' || severity === 'PANIC' || /^(CONNECTION_|E[A-Z]+$)/.test(String(code));
}

/**
 * Transactions that end with their connection. postgres.js would send a ROLLBACK after it all the same, and throws where
 * nobody can catch it, which ends the process (its issues 1154 and 1208).
 */
function endedByConnection(begin: Sql['begin']): Sql['begin'] {
  type Work = (tx: TransactionSql) => unknown;
  const whole =
    (work: Work): Work =>
    async (tx) => {
      try {
        return await work(tx);
      } catch (error) {
        if (!isOfConnection(error)) throw error;
        // The server has rolled it back by itself, and `begin` rejects when it learns that the connection is gone.
        return await new Promise<never>(() => {});
      }
    };
  const guarded = (...given: [Work] | [string, Work]) =>
    given.length === 1 ? begin(whole(given[0])) : begin(given[0], whole(given[1]));
  return guarded as Sql['begin'];
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
  const sql = postgres(address.href, options);
  return Object.assign(sql, { begin: endedByConnection(sql.begin) });
}
