/**
 * A worker that stops in the middle of a recording, its last statement still on its way, until another node has taken the
 * recording over and finished it: what it writes then is too late, and changes nothing.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { freshPostgres, hasPostgres } from '../support/databases.ts';
import { keepResult } from './effort.ts';
import { violations } from './support/audit.ts';
import { HoldingProxy } from './support/holding-proxy.ts';
import { onDatabase, rows, spoken, submit, until } from './support/jobs.ts';
import { Mortal } from './support/mortal.ts';
import { PatientTranscriber } from './support/patient-transcriber.ts';

/** A bound for what hangs. */
const WITHIN_MS = 120_000;

/** Something that others wait for until it is opened. */
function latch(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe.skipIf(!hasPostgres)('a worker that was stopped past its claim', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('writes nothing when it goes on, and serves as before', { timeout: 300_000 }, async () => {
    let asked = 0;
    let speaker = 'first';
    let mayGoOn = latch();
    const transcriber = await PatientTranscriber.start(async () => {
      const n = ++asked;
      const text = `Utterance ${n}, as the ${speaker} node heard it.`;
      // The first is stored before the others are heard.
      if (n > 1) await mayGoOn.opened;
      return text;
    });
    cleanups.push(() => transcriber.close());
    const database = await freshPostgres();
    cleanups.push(database.drop);
    const proxy = await HoldingProxy.start(database.url);
    cleanups.push(() => proxy.close());
    const first = await Mortal.make({ ...transcriber.settings, DATABASE_URL: proxy.url });
    cleanups.push(() => first.remove());
    const second = await Mortal.make({ ...transcriber.settings, DATABASE_URL: database.url });
    cleanups.push(() => second.remove());
    const read = async (id: string) => (await rows(database.url)).find((row) => row.id === id)!;
    const untilSo = (isSo: () => Promise<boolean>) =>
      until(isSo, WITHIN_MS, async () => [...first.complaints, ...second.complaints].join('\n'));
    /** All there is of a session, and the transactions that wrote it; but how long its claim runs, which is renewed. */
    const written = (id: string) =>
      onDatabase(database.url, async (sql) => {
        const [session] = await sql.unsafe<{ xmin: string; row: { fence: number } }[]>(
          `select xmin::text, to_jsonb(sessions) - 'owner_until_ms' - 'processed_ms' as row from sessions
            where id = $1`,
          [id],
        );
        const events = await sql.unsafe(
          'select xmin::text, * from events where session_id = $1 order by seq',
          [id],
        );
        return { ...session!, events: [...events] };
      });

    await first.start();
    const id = await submit(first.url, 'fenced', spoken(3), {});
    await untilSo(async () => (await read(id)).events.some(({ type }) => type === 'transcript.final'));
    const isHeld = proxy.holdFrom('Utterance 2, as the first node heard it.');
    mayGoOn.open();
    await isHeld;
    first.signal('SIGSTOP');

    [speaker, mayGoOn] = ['second', latch()];
    await second.start();
    await untilSo(async () => (await written(id)).row.fence === 2);
    const { xmin: _, ...before } = await written(id);
    await proxy.release();
    expect(await written(id)).toMatchObject(before);

    mayGoOn.open();
    await untilSo(async () => (await read(id)).state === 'DONE');
    const after = await written(id);
    await second.kill();
    first.signal('SIGCONT');
    const next = await submit(first.url, 'next', spoken(1), {});
    await untilSo(async () => (await read(next)).state === 'DONE');
    expect(await written(id)).toEqual(after);
    expect(first.isAlive).toBe(true);
    const heard = JSON.stringify(after).match(/as the \w+ node/g);
    expect(heard).toEqual(['as the first node', 'as the second node', 'as the second node']);
    expect(await onDatabase(database.url, violations)).toEqual([]);
    keepResult('A3', 'a worker stopped past its claim wrote 0 rows, and went on to serve');
  });
});
