/** A recording that kills whoever works on it: after five deaths it is given up, and those beside it are not. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { databases, freshPostgres } from '../support/databases.ts';
import { isLong, keepResult } from './effort.ts';
import { violations } from './support/audit.ts';
import { hasEnded, onDatabase, rows, spoken, submit } from './support/jobs.ts';
import { Mortal } from './support/mortal.ts';
import { PatientTranscriber } from './support/patient-transcriber.ts';

/** Promised. */
const DEATHS = 5;
/** How long the endpoint takes over an utterance of the others: never have they got anywhere when the process dies. */
const THINK_MS = 1_000;
const LOOK_EVERY_MS = 50;

/** On PostgreSQL each death takes half a minute, as claims have to run out before another process may look. */
const tried = isLong ? databases() : databases().filter(({ name }) => name === 'embedded');

describe.concurrent.each(tried)('a recording over which its process dies, on $name', ({ name }) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it(`is FAILED after ${DEATHS} deaths, and those beside it are done`, { timeout: 600_000 }, async () => {
    let isStruck = false;
    const transcriber = await PatientTranscriber.start(async (prompt) => {
      if (prompt === 'poison') {
        isStruck = true;
        return await new Promise<never>(() => {});
      }
      await sleep(THINK_MS);
      return 'Something was said.';
    });
    cleanups.push(() => transcriber.close());
    const postgres = name === 'postgres' ? await freshPostgres() : null;
    if (postgres) cleanups.push(postgres.drop);
    const gateway = await Mortal.make({
      ...transcriber.settings,
      ...(postgres && { DATABASE_URL: postgres.url }),
    });
    cleanups.push(() => gateway.remove());
    const databaseUrl = postgres?.url ?? gateway.embeddedUrl;

    await gateway.start();
    const innocent = await submit(gateway.url, 'innocent', spoken(2), {});
    const poison = await submit(gateway.url, 'poison', spoken(1), { prompt: 'poison' });
    const bystander = await submit(gateway.url, 'bystander', spoken(1), {});
    let deaths = 0;
    for (;;) {
      if (isStruck) {
        await gateway.kill();
        deaths++;
        isStruck = false;
        await gateway.start();
      }
      if ((await rows(databaseUrl)).every(hasEnded)) break;
      await sleep(LOOK_EVERY_MS);
    }

    const sessions = new Map((await rows(databaseUrl)).map((row) => [row.id, row]));
    expect(sessions.get(poison)).toMatchObject({ state: 'FAILED', code: 'recognition_failed' });
    for (const id of [innocent, bystander])
      expect(sessions.get(id)).toMatchObject({ state: 'DONE', code: null });
    expect(deaths).toBe(DEATHS);
    expect(await onDatabase(databaseUrl, violations)).toEqual([]);
    keepResult(`A6 ${name}`, `FAILED after ${deaths} deaths; two recordings beside it DONE`);
  });
});
