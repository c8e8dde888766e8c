/** Server-sent events: one session's, and the feed of all of a tenant's. */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { isDurable } from '../domain/event.ts';
import { Failure, isFailure } from '../domain/failure.ts';
import { readFeed } from '../session/feed.ts';
import { follow } from '../session/follow.ts';
import { readSeq } from './cursor.ts';
import { tenantOf } from './guards.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { sseResponse } from './sse.ts';

/** The routes of this face. */
export function eventRoutes(parts: HttpParts): Routes {
  const { store, hub, clock } = parts;
  const routes: Routes = new Hono<Env>();

  routes.get('/v1/sessions/:id/events', async (c) => {
    const id = c.req.param('id');
    const caller = c.get('caller');
    if (caller.kind === 'token' && caller.sessionId !== id)
      throw new Failure('forbidden', 'The token is for another session.');
    const record = await store.sessions.find(id, caller.tenantId);
    if (!record) throw new Failure('not_found', 'There is no such session.');
    const after = readSeq(cursorOf(c) ?? '0');
    return sseResponse(async function* (signal) {
      for await (const event of follow(id, after, { store, hub, clock }, signal))
        yield { event: event.type, data: event, id: isDurable(event) ? String(event.seq) : null };
    }, clock);
  });

  routes.get('/v1/feed', (c) => {
    const tenantId = tenantOf(c);
    const cursor = cursorOf(c);
    return sseResponse(async function* (signal) {
      try {
        for await (const { cursor: id, event } of readFeed(tenantId, cursor, { store, hub, clock }, signal))
          yield { event: event.type, data: event, id };
      } catch (error) {
        if (!isFailure(error, 'bad_request')) throw error;
        // Headers are long gone: the stream itself says that its cursor leads nowhere.
        yield { event: 'reset', data: { type: 'reset', reason: error.message }, id: null };
      }
    }, clock);
  });

  return routes;
}

/** The cursor a reader resumes after: a browser's own header first, then the query. */
const cursorOf = (c: Context<Env>): string | null =>
  c.req.header('last-event-id') ?? c.req.query('after') ?? null;

const stream = {
  '200': {
    description:
      'A stream of server-sent events: `event` is the type, `data` the event as JSON, `id` the cursor.',
    content: { 'text/event-stream': { schema: z.string() } },
  },
};
const after = z
  .string()
  .optional()
  .describe('Events after this cursor; the header Last-Event-ID does the same.');

/** This face in the OpenAPI document. */
export const eventPaths: ZodOpenApiPathsObject = {
  '/v1/sessions/{id}/events': {
    get: {
      summary: 'Follow one session: what happened so far, then what happens',
      tags: ['Events'],
      requestParams: { path: z.object({ id: z.string() }), query: z.object({ after }) },
      responses: stream,
    },
  },
  '/v1/feed': {
    get: {
      summary: 'Follow the durable events of all sessions',
      tags: ['Events'],
      requestParams: { query: z.object({ after }) },
      responses: stream,
    },
  },
};
