/**
 * One process owns a data folder. PGlite takes no lock of its own, and a second process would silently lose
 * rows, so each process that wants the folder files a claim (`owner-<pid>-<start>.lock`) and looks at the
 * others': a claim counts while its process lives, however old it is, and not a moment longer.
 *
 * Filing before looking makes it impossible for two processes to both see themselves alone. Two that start
 * together see each other: the one whose claim sorts first waits for the other to step back.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import { startOf } from './process-start.ts';

const CLAIM = /^owner-(\d+)-([\w-]+)\.lock$/;
const ATTEMPTS = 12;
const PAUSE_MS = 80;

/** A claim filed so long ago is no rival's for the same start: there is nothing to wait for. */
const SETTLED_MS = 5000;

/** Whether the process that filed a claim still runs. Where its start cannot be seen, its pid has to do. */
function isAlive(pid: number, claimedStart: string): boolean {
  const start = startOf(pid);
  return start === claimedStart || start === 'unknown' || (start !== null && claimedStart === 'unknown');
}

/** The first of the other processes' claims that count; those of the dead are cleared away. */
function firstRival(folder: string, own: string): { file: string; pid: number; isSettled: boolean } | null {
  for (const file of readdirSync(folder).sort()) {
    const [, pid, start] = CLAIM.exec(file) ?? [];
    if (pid === undefined || file === own) continue;
    if (isAlive(Number(pid), start!))
      return { file, pid: Number(pid), isSettled: Date.now() - filedMs(join(folder, file)) > SETTLED_MS };
    rmSync(join(folder, file), { force: true });
  }
  return null;
}

/** When a claim was filed; a claim that was just given back is as good as new. */
const filedMs = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;

/** Files a claim; false where this very process has one already. */
function fileClaim(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param holder As it is to be named, e.g. `process 12`. */
export const folderInUse = (folder: string, holder: string) =>
  new Failure(
    'conflict',
    `The data folder ${folder} is in use by ${holder}. Stop that process, or use another folder.`,
  );

/**
 * Takes the folder, creating it where it is missing.
 * @returns How to give it back.
 * @throws Failure `conflict` within two seconds, naming the holder's pid and the folder.
 */
export async function takeFolder(dataDir: string): Promise<() => void> {
  const folder = resolve(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = `owner-${process.pid}-${startOf(process.pid)}.lock`;
  const release = () => rmSync(join(folder, own), { force: true });
  for (let attempt = 1, filed = false; ; attempt++) {
    filed ||= fileClaim(join(folder, own));
    if (!filed) throw folderInUse(folder, `process ${process.pid}`);
    const rival = firstRival(folder, own);
    if (!rival) return release;
    const isHopeless = rival.isSettled || attempt === ATTEMPTS;
    if (rival.file < own || isHopeless) {
      release();
      filed = false;
    }
    if (isHopeless) throw folderInUse(folder, `process ${rival.pid}`);
    await sleep(PAUSE_MS);
  }
}
