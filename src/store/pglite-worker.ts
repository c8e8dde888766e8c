/**
 * The embedded database, in a thread of its own: PGlite is PostgreSQL compiled to WebAssembly and blocks the
 * thread it runs on. It speaks the wire protocol on a unix socket, so that everything above is written once.
 */
import { rmSync } from 'node:fs';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { serveThread } from '../flow/thread.ts';
import { SharedPGlite } from './shared-pglite.ts';

export type PgliteApi = {
  /** Makes the database in an empty folder. What that takes of memory is only given back when the thread ends. */
  create(folder: string): void;
  /** Opens (or makes) the database in a folder and answers on a socket. */
  open(folder: string, socketPath: string, maxConnections: number): void;
  /** Returns when the database was closed; fails with the thread when it was not. */
  closed(): void;
  /** Ends connections and writes out what is to be written. */
  close(): void;
};

let opened: { readonly db: SharedPGlite; readonly server: PGLiteSocketServer } | null = null;
let markClosed = () => {};
const closed = new Promise<void>((resolve) => {
  markClosed = resolve;
});

serveThread<PgliteApi>({
  async create(folder) {
    const db = new SharedPGlite(folder);
    await db.waitReady;
    await db.close();
  },
  async open(folder, socketPath, maxConnections) {
    const db = new SharedPGlite(folder);
    await db.waitReady;
    // Left by a process that was killed; the folder's owner lock says that nobody listens on it.
    rmSync(socketPath, { force: true });
    const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections });
    await server.start();
    opened = { db, server };
  },
  closed: () => closed,
  async close() {
    await opened?.server.stop();
    await opened?.db.close();
    markClosed();
  },
});
