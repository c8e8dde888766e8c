/**
 * The gateway is killed over and over while recordings come in, are transcribed and are delivered: none is lost, none gets
 * stuck, and each is delivered at least once, the same to the byte.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { databases, freshPostgres } from '../support/databases.ts';
import { chanceFor, isLong, keepResult, times } from './effort.ts';
import { illegal, transitions, violations, watchTransitions } from './support/audit.ts';
import { hasEnded, onDatabase, redeliver, rows, spoken, submit, until, WEBHOOKS } from './support/jobs.ts';
import { MoodyReceiver } from './support/moody-receiver.ts';
import { Mortal } from './support/mortal.ts';
import { PatientTranscriber } from './support/patient-transcriber.ts';
import { type Life, longestS, recoveryOf } from './support/recovery.ts';

const KILLS = times(3, 50);
const JOBS = times(16, 200);

/** A process lives up to so long after it is ready, or, now and then, since it began to start. */
const MAX_LIFE_MS = 3_000;
const DIES_EARLY = 0.2;
/** How long the endpoint takes over an utterance, at the most. */
const MAX_THINK_MS = 1_500;
/** What is due is waited for so long before it is asked for: a lease of a dead node runs for 45 s. */
const DELIVERY_PATIENCE_MS = times(2_000, 60_000);
/** A bound for what hangs. */
const END_WITHIN_MS = 180_000;
/** How soon what a process died over has to be taken up again. */
const TAKEN_UP_WITHIN_MS = { embedded: 5_000, postgres: 60_000 } as const;

describe.concurrent.each(databases())('a gateway that is killed, on $name', ({ name }) => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  it('loses nothing, and leaves nothing undone', { timeout: times(300_000, 1_800_000) }, async () => {
    const random = chanceFor(`kills ${name}`);
    /** Set for what is left without an answer. */
    let onAsked: (() => void) | null = null;
    const transcriber = await PatientTranscriber.start(async () => {
      onAsked?.();
      if (onAsked) await new Promise<never>(() => {});
      await sleep(MAX_THINK_MS * random());
      return 'Something was said.';
    });
    cleanups.push(() => transcriber.close());
    const receiver = await MoodyReceiver.start(random);
    cleanups.push(() => receiver.close());
    const postgres = name === 'postgres' ? await freshPostgres() : null;
    if (postgres) cleanups.push(postgres.drop);
    const database = postgres ? { DATABASE_URL: postgres.url } : {};
    const gateway = await Mortal.make({ ...transcriber.settings, ...WEBHOOKS, ...database });
    cleanups.push(() => gateway.remove());
    const databaseUrl = postgres?.url ?? gateway.embeddedUrl;

    const lives: Life[] = [];
    let starting = gateway.start();
    await starting;
    await onDatabase(databaseUrl, watchTransitions);

    const jobs: Promise<{ id: string; hasWebhook: boolean; utterances: number }>[] = [];
    const submitUpTo = (count: number) => {
      while (jobs.length < count) {
        const [n, utterances] = [jobs.length, 1 + Math.floor(3 * random())];
        const hasWebhook = n % 4 !== 3;
        const options = { webhook: hasWebhook ? { url: receiver.url } : null };
        const submitted = submit(gateway.url, `job-${n}`, spoken(utterances), options);
        const job = submitted.then((id) => ({ id, hasWebhook, utterances }));
        // Awaited in the end, all at once.
        job.catch(() => {});
        jobs.push(job);
      }
    };
    const read = () => rows(databaseUrl);
    const tell = async () => {
      const left = (await read()).filter((row) => !hasEnded(row)).map(({ id, state }) => `${id} ${state}`);
      return [...left, ...gateway.complaints].join('\n');
    };
    const allEnded = () => until(async () => (await read()).every(hasEnded), END_WITHIN_MS, tell);
    for (let kill = 1; kill <= KILLS; kill++) {
      const isLast = kill === KILLS;
      if (isLast || random() >= DIES_EARLY) await starting;
      // The last one out of calm and amid a recording, to see how soon that goes on where nobody else dies.
      if (isLast && isLong) await Promise.all(jobs).then(allEnded);
      submitUpTo(Math.ceil((JOBS * kill) / KILLS));
      if (isLast)
        await new Promise<void>((resolve) => {
          onAsked = resolve;
        });
      else await sleep(MAX_LIFE_MS * random());
      const killedMs = await gateway.kill();
      onAsked = null;
      lives.push({ readyMs: await starting, killedMs });
      starting = gateway.start();
    }
    const readyMs = await starting;
    lives.push({ readyMs, killedMs: null });

    const all = await Promise.all(jobs);
    await allEnded();

    // What failed waits for five minutes and more; what a dead process was sending, until its lease ends.
    const asked = new Set<string>();
    const isDue = `state = 'pending' and next_attempt_at_ms <= ${Date.now() + 10_000}`;
    const waiting = (which: string) =>
      onDatabase(databaseUrl, (sql) => sql.unsafe(`select session_id as id from deliveries where ${which}`));
    const isNoneDue = async () => (await waiting(isDue)).length === 0;
    await until(isNoneDue, DELIVERY_PATIENCE_MS, async () => '').catch(() => {});
    const askForTheRest = async () => {
      const left = await waiting(`state <> 'sent'`);
      for (const { id } of left) {
        asked.add(id);
        await redeliver(gateway.url, id);
      }
      if (left.length > 0) await sleep(500);
      return left.length === 0;
    };
    await until(askForTheRest, END_WITHIN_MS, tell);

    const sessions = await read();
    expect(sessions.map(({ id }) => id)).toEqual(all.map(({ id }) => id).sort());
    await onDatabase(databaseUrl, async (sql) => {
      expect(await violations(sql)).toEqual([]);
      expect(illegal(await transitions(sql), (id) => asked.has(id))).toEqual([]);
    });
    let failed = 0;
    for (const { id, hasWebhook, utterances } of all) {
      const { state, code, events } = sessions.find((session) => session.id === id)!;
      // One over which five processes died is taken for the reason: it has ended all the same.
      if (code !== null) failed++;
      expect(code ?? 'recognition_failed').toBe('recognition_failed');
      expect(state).toBe(hasWebhook ? 'SENT' : code === null ? 'DONE' : 'FAILED');
      const finals = events.filter(({ type }) => type === 'transcript.final').length;
      if (code === null) expect(finals).toBe(utterances);
      const webhookId = `msg_${id.slice('ses_'.length)}`;
      expect(receiver.taken.has(webhookId)).toBe(hasWebhook);
      const bodies = receiver.bodies.get(webhookId) ?? [];
      expect(new Set(bodies).size).toBe(hasWebhook ? 1 : 0);
    }

    const { hits, sinceReadyMs } = recoveryOf(sessions, lives);
    // What many deaths have left waits for a worker as well as for the claims to run out: only the death in calm tells.
    const since = name === 'embedded' ? sinceReadyMs : recoveryOf(sessions, lives.slice(-2)).sinceKillMs;
    if (isLong) {
      expect(since.length).toBeGreaterThan(0);
      expect(Math.max(...since)).toBeLessThanOrEqual(TAKEN_UP_WITHIN_MS[name]);
    }
    const lastMs = Math.max(
      ...sessions.flatMap(({ events }) => events.filter(isEnd)).map(({ atMs }) => atMs),
    );
    const finished = ((lastMs - readyMs!) / 1000).toFixed(1);
    const ends = failed === 0 ? '' : `, ${failed} FAILED after five deaths`;
    keepResult(
      `A1 ${name}`,
      `${KILLS} kills over ${JOBS} jobs, ${hits} of them amid a recording: 0 lost, 0 stuck${ends}; ${receiver.count} deliveries, one body each; all ended ${finished} s after the last start`,
    );
    const from = name === 'embedded' ? 'the next start' : 'the death';
    if (since.length > 0)
      keepResult(`A2 ${name}`, `${since.length} recordings, ${longestS(since)} s after ${from} at most`);
  });
});

const isEnd = ({ type }: { readonly type: string }): boolean =>
  type === 'session.done' || type === 'session.failed';
