/** Starts the embedded database for a data folder, keeps it running, and says where it answers. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Thread, threadEntry } from '../flow/thread.ts';
import { folderInUse, takeFolder } from './owner-lock.ts';
import type { PgliteApi } from './pglite-worker.ts';

/** Connections it takes in all: ours, twice over while they are replaced, and those of other libraries. */
const MAX_CONNECTIONS = 20;

/** `sockaddr_un.sun_path` holds 108 bytes on Linux and 104 on macOS, with a closing zero. */
const MAX_SOCKET_PATH_BYTES = 103;

/** What PostgreSQL's clients look for in a folder given as their host. */
const SOCKET_NAME = '.s.PGSQL.5432';

/** Between a thread's end and the next attempt to start one. */
const RESTART_DELAY_MS = 200;

export interface Embedded {
  /** Its address, in the form that libpq, node-postgres and `connect.ts` understand. */
  readonly url: string;
  /** Ends the thread where it stands and starts it again, as if the process had been. */
  restart(): void;
  close(): Promise<void>;
}

/** A folder for the socket that only this user can enter, in the data folder unless that lies too deep. */
function makeSocketFolder(dataDir: string): string {
  const folder = join(dataDir, 'socket');
  if (Buffer.byteLength(join(folder, SOCKET_NAME)) > MAX_SOCKET_PATH_BYTES)
    return mkdtempSync(join(tmpdir(), 'earshot-'));
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  return folder;
}

/**
 * Whether somebody listens on a socket. Two containers that share a folder do not see each other's processes,
 * which the owner lock goes by, but they do see each other's sockets.
 */
function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((tell) => {
    const socket = connect(socketPath);
    const answer = (isOpen: boolean) => {
      socket.destroy();
      tell(isOpen);
    };
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
  });
}

/**
 * Opens the database under `dataDir`, making it where there is none. What it has acknowledged survives the
 * end of the process, however sudden; it never asks the disk to flush, so it does not promise to survive a
 * power cut.
 * @throws Failure `conflict` where another process has the folder.
 */
export async function openEmbedded(dataDir: string): Promise<Embedded> {
  const release = await takeFolder(dataDir);
  const folder = resolve(dataDir);
  const socketFolder = makeSocketFolder(folder);
  const thread = new Thread<PgliteApi>(threadEntry(import.meta.url, './pglite-worker.js'), {
    name: 'database',
  });
  const socketPath = join(socketFolder, SOCKET_NAME);
  if (await isAnswered(socketPath)) {
    release();
    throw folderInUse(folder, 'another process, perhaps in another container');
  }
  const databaseFolder = join(folder, 'postgres');
  const open = () => thread.call('open', [databaseFolder, socketPath, MAX_CONNECTIONS]);

  let closing = false;
  const end = async () => {
    closing = true;
    await thread.close();
    rmSync(socketFolder, { recursive: true, force: true });
    release();
  };

  /** Starts the thread again whenever it ends by itself; clients connect again when they next have work. */
  const keepRunning = async () => {
    for (let isOpen = true; !closing; ) {
      try {
        if (!isOpen) await open();
        isOpen = true;
        await thread.call('closed', []);
      } catch {
        isOpen = false;
        await thread.restart();
        await sleep(RESTART_DELAY_MS);
      }
    }
  };

  try {
    if (!existsSync(join(databaseFolder, 'PG_VERSION'))) {
      await thread.call('create', [databaseFolder]);
      await thread.restart();
    }
    await open();
  } catch (error) {
    await end();
    throw error;
  }
  void keepRunning();
  return {
    url: `postgresql://postgres@localhost:5432/postgres?host=${encodeURIComponent(socketFolder)}`,
    restart: () => void thread.restart(),
    async close() {
      closing = true;
      await thread.call('close', []).finally(end);
    },
  };
}
