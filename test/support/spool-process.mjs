/**
 * A process that spools, to be killed, or to run out of room; started by `spool.test.ts`.
 *
 *     node spool-process.mjs <spool.js> load <folder> <first seq>
 *     node spool-process.mjs <spool.js> limit <folder>
 */
import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , spoolModule, mode, folder, firstSeq] = process.argv;
const { Spool } = await import(spoolModule);

/** Of util-linux. */
const PRLIMIT = 'prlimit';

/** At once, and all of it: what was said has been said when the process is killed. */
const say = (line) => writeSync(1, `${line}\n`);

const entry = (sessionId, seq, delta) => ({
  sessionId,
  fence: 1,
  events: [{ type: 'llm.token', sessionId, seq, at: '2025-01-01T00:00:00.000Z', delta }],
});

/** Adds for four sessions at once, and drains more slowly; says what is on disk, and what is drained. */
async function load() {
  const spool = await Spool.open(folder, { maxBytes: 100_000 });
  say(`open ${spool.damaged}`);
  const write = async (sessionId) => {
    for (let seq = Number(firstSeq); ; seq++) {
      const { code } = (await spool.add(entry(sessionId, seq, 'x'.repeat(seq % 300))).catch((e) => e)) ?? {};
      if (code === 'storage_full') await sleep(1);
      else if (code) throw new Error(code);
      if (code) seq--;
      else say(`added ${sessionId} ${seq}`);
    }
  };
  const drain = async () => {
    for (;;) {
      const head = await spool.head();
      for (const { seq } of head?.events ?? []) say(`drained ${head.sessionId} ${seq}`);
      await spool.removeHead();
      await sleep(spool.size > 50_000 ? 0 : 2);
    }
  };
  await Promise.all([...['a', 'b', 'c', 'd'].map(write), drain()]);
}

/** Has files that can only grow so far, then as far as they like: says what becomes of an entry each time. */
async function limit() {
  const spool = await Spool.open(folder, { maxBytes: 1_000_000 });
  const limitFiles = (size) => {
    const { status, stderr } = spawnSync(PRLIMIT, ['--pid', String(process.pid), `--fsize=${size}:`]);
    if (status !== 0) throw new Error(String(stderr));
  };
  const add = async (seq, length) => {
    const error = await spool.add(entry('a', seq, 'x'.repeat(length))).catch((e) => e);
    say(error ? `${error.code} ${error.cause?.code}` : `added ${seq}`);
  };
  limitFiles(4_096);
  await add(1, 1_000);
  await add(2, 1_000);
  await add(3, 10_000);
  await add(3, 500);
  await Promise.all([add(4, 10_000), add(5, 100)]);
  await add(4, 100);
  limitFiles('unlimited');
  await add(5, 10_000);
  say(`waiting ${spool.waiting}`);
  await spool.close();
}

await (mode === 'load' ? load() : limit());
