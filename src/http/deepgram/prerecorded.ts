/** Deepgram's interface for recordings: `POST /v1/listen`, whose client waits for the end, or is called back. */
import type { ReadableStream } from 'node:stream/web';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { finished, waitPatiently } from '../finished.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { check, jsonBody, smallBody } from '../request.ts';
import { answerOf } from './answer.ts';
import { credentialOf } from './credential.ts';
import { readPrerecordedQuery } from './prerecorded-query.ts';
import { queueRecording, type RecordingSource } from './recording.ts';
import { uuidOf } from './uuid.ts';

/** A recording that is to be fetched. */
export const urlBody = z.strictObject({ url: z.url() });

/** The routes of this face. */
export function prerecordedRoutes(parts: HttpParts): Routes {
  const { access, abilities } = parts;
  const routes: Routes = new Hono<Env>();

  const transcribe = async (c: Context<Env>, sourceOf: () => Promise<RecordingSource>): Promise<Response> => {
    const { tenantId } = await access.admit(credentialOf(c));
    const requestId = uuidOf(c.get('requestId'));
    const wishes = readPrerecordedQuery(c.req.queries(), requestId, abilities);
    const source = await sourceOf();
    waitPatiently(c);
    const { signal } = c.req.raw;
    const { records, answer } = await queueRecording(source, wishes, tenantId, parts, signal);
    c.header('dg-request-id', requestId);
    if (wishes.options.webhook) return c.json({ request_id: requestId });
    const sessions = await Promise.all(records.map((record) => finished(record, parts, signal)));
    return c.json(answerOf(sessions, answer));
  };

  routes.post('/v1/listen', async (c, next) => {
    if (/^application\/json\b/i.test(c.req.header('content-type') ?? '')) return await next();
    const body = c.req.raw.body as ReadableStream<Uint8Array> | null;
    return await transcribe(c, async () => ({ kind: 'body', body }));
  });

  routes.post('/v1/listen', smallBody, (c) =>
    transcribe(c, async () => ({ kind: 'url', ...check(urlBody, await jsonBody(c)) })),
  );
  return routes;
}
