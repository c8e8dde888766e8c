/** PGlite for several connections at once. */
import { PGlite } from '@electric-sql/pglite';

// Message types of the frontend (PostgreSQL documentation, "Message Formats").
const QUERY = 0x51;
const SYNC = 0x53;
const TERMINATE = 0x58;
/** Startup packets have no type: their first byte is the high byte of a length. */
const STARTUP = 0x00;

/**
 * Pages of the database held in memory. PostgreSQL's own 128 MB fill up within the hour and would be an eighth of the
 * whole process; the system's file cache holds what these do not.
 */
const SHARED_BUFFERS = '16MB';

const message = (type: number, text = ''): Uint8Array => {
  const bytes = Buffer.alloc(5 + text.length);
  bytes.writeUInt8(type);
  bytes.writeUInt32BE(4 + text.length, 1);
  bytes.write(text, 5, 'latin1');
  return bytes;
};

/**
 * PGlite has one backend for all connections, and the socket server passes messages on one by one. It keeps
 * other connections out of an open transaction, but not out of the steps of an extended query (parse, bind,
 * execute … sync), where one connection would run what another has bound. Here such a query counts as a
 * transaction until its sync.
 */
export class SharedPGlite extends PGlite {
  #amidQuery = false;

  /** @param folder Of the database; it is made there where it is empty. */
  constructor(folder: string) {
    const startParams = [...PGlite.defaultStartParams, '-c', `shared_buffers=${SHARED_BUFFERS}`];
    super(folder, { startParams });
  }

  override isInTransaction(): boolean {
    return this.#amidQuery || super.isInTransaction();
  }

  override async execProtocolRawStream(
    ...[bytes, options]: Parameters<PGlite['execProtocolRawStream']>
  ): Promise<void> {
    const type = bytes[0]!;
    if (type !== TERMINATE) this.#amidQuery = ![QUERY, SYNC, STARTUP].includes(type);
    try {
      await super.execProtocolRawStream(bytes, options);
    } catch (error) {
      // A startup packet it cannot read. Thrown on, it would stop the server's queue for everybody.
      if (type !== STARTUP) throw error;
    }
  }

  /** The server calls this to roll back when a connection is lost. */
  override async exec(...args: Parameters<PGlite['exec']>): ReturnType<PGlite['exec']> {
    if (this.#amidQuery) {
      // The sync ends the query and would commit it; the rollback before it sees to it that it does not. After
      // an error, the backend passes over the rollback: there is nothing left to commit.
      this.execProtocolRawSync(message(QUERY, 'ROLLBACK\0'));
      this.execProtocolRawSync(message(SYNC));
      this.#amidQuery = false;
    }
    return super.exec(...args);
  }
}
