/** Recordings that are to be transcribed, and those who send them: they ask again until they are told that it is there. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { connect } from '../../../src/store/connect.ts';
import { pcmOf, silence } from '../../support/speech.ts';

/** Between tries while the gateway is away. */
const RETRY_MS = 100;
/** A request that has no answer after this long never gets one. */
const ANSWER_MS = 20_000;

/** Signs the webhooks of all. */
export const WEBHOOKS = {
  WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
};

/** Three seconds of speech and a pause that ends it, so many times over: raw PCM, 16 bits at 16 kHz. */
export const spoken = (utterances: number): Buffer =>
  Buffer.concat(Array.from({ length: utterances }, () => [pcmOf('austen-0880.wav'), silence(900)]).flat());

/** Repeats a request until it is answered with something else than `5xx`. */
async function insist(url: string, init: () => RequestInit): Promise<Response> {
  for (;;) {
    try {
      const response = await fetch(url, { ...init(), signal: AbortSignal.timeout(ANSWER_MS) });
      if (response.status < 500) return response;
      await response.body?.cancel();
    } catch {
      // Nobody there, or nobody any more.
    }
    await sleep(RETRY_MS);
  }
}

/**
 * Sends a recording under a key of its own until the gateway says that it has it.
 * @returns The session's id.
 */
export async function submit(url: string, key: string, audio: Buffer, options: object): Promise<string> {
  const response = await insist(`${url}/v1/sessions`, () => {
    const form = new FormData();
    const all = { language: 'en', audio: { encoding: 'pcm_s16le' }, ...options };
    form.set('options', JSON.stringify(all));
    form.set('file', new Blob([new Uint8Array(audio)]), 'job.raw');
    return { method: 'POST', body: form, headers: { 'idempotency-key': key } };
  });
  if (response.status !== 202) throw new Error(`refused: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

/** Asks for a session's webhook again. */
export async function redeliver(url: string, id: string): Promise<void> {
  const response = await insist(`${url}/v1/sessions/${id}/redeliver`, () => ({ method: 'POST' }));
  if (response.status !== 202) throw new Error(`not redelivered: ${await response.text()}`);
}

/** Some work on a database that runs now, over a connection that does not outlive it. */
export async function onDatabase<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect(url, { max: 1, settings: {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** A session as the database has it. */
export interface Row {
  readonly id: string;
  readonly state: string;
  /** Of its last failure; null where it did not fail. */
  readonly code: string | null;
  /** Types and instants (epoch ms) of its events, in order. */
  readonly events: readonly { readonly type: string; readonly atMs: number }[];
}

export const rows = (url: string): Promise<Row[]> =>
  onDatabase(url, async (sql) => [
    ...(await sql.unsafe<Row[]>(`
      select id, state,
        (select body -> 'error' ->> 'code' from events where session_id = id and type = 'session.failed') as code,
        coalesce((
          select json_agg(json_build_object('type', type, 'atMs', extract(epoch from at) * 1000) order by seq)
          from events where session_id = id
        ), '[]') as events
      from sessions order by id`)),
  ]);

export const hasEnded = ({ state }: Row): boolean => state !== 'PENDING' && state !== 'IN_PROGRESS';

/** Waits until something is so. @throws Error after `limitMs`, with what `tell` says. */
export async function until(
  isSo: () => Promise<boolean>,
  limitMs: number,
  tell: () => Promise<string>,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${await tell()}`);
    await sleep(RETRY_MS);
  }
}
