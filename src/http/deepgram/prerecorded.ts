/** Deepgram's interface for recordings: `POST /v1/listen`, whose client waits for the end, or is called back. */
import type { ReadableStream } from 'node:stream/web';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { type DurableEvent, isDurable } from '../../domain/event.ts';
import { Failure } from '../../domain/failure.ts';
import { type Session, type SessionRecord, sessionView } from '../../domain/session.ts';
import { follow } from '../../session/follow.ts';
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
    // The server lets go of connections on which nothing moves; this one waits for as long as the work takes. There is
    // none where a test asks without a socket.
    c.env?.incoming?.socket.setTimeout(0);
    const { signal } = c.req.raw;
    const { records, answer } = await queueRecording(source, wishes, tenantId, parts, signal);
    c.header('dg-request-id', requestId);
    if (wishes.options.webhook) return c.json({ request_id: requestId });
    const sessions = await Promise.all(records.map((record) => ended(record, signal)));
    return c.json(answerOf(sessions, answer));
  };

  /** A session once it has ended, also where another node works on it. @throws Failure what it failed of. */
  const ended = async (record: SessionRecord, signal: AbortSignal): Promise<Session> => {
    const events: DurableEvent[] = [];
    for await (const event of follow(record.id, 0, parts, signal)) {
      if (!isDurable(event)) continue;
      events.push(event);
      if (event.type === 'session.failed') throw new Failure(event.error.code, event.error.message);
      if (event.type === 'session.done') return sessionView(record, events);
    }
    // Its client has left, who hears nothing of this, or it was deleted.
    throw new Failure('not_found', 'The recording was deleted before it had been transcribed.');
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
