/** Sessions over HTTP: create, poll, list, read the transcript, hand out tokens, delete. */
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { Failure } from '../domain/failure.ts';
import { SESSION_STATES, type Session, sessionView } from '../domain/session.ts';
import { tenantOf } from './guards.ts';
import { createUnder, fingerprintOf, keyOf } from './idempotency.ts';
import { optionsSchema, readOptions } from './options.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { readSession } from './read-session.ts';
import { check, jsonBody, smallBody } from './request.ts';
import { problems, sessionSchema } from './schemas.ts';
import { CONTENT_TYPES, renderTranscript, TRANSCRIPT_FORMATS } from './transcript.ts';
import { type Accepted, acceptRecording, acceptUrl } from './upload.ts';

const DEFAULT_TOKEN_TTL_SECONDS = 60;

const listQuery = z.object({
  state: z
    .enum(SESSION_STATES as [string, ...string[]])
    .nullable()
    .default(null),
  cursor: z.string().max(500).nullable().default(null),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
const transcriptQuery = z.object({ format: z.enum(TRANSCRIPT_FORMATS).default('json') });
const tokenBody = z.strictObject({ ttlSeconds: z.int().min(1).max(600).default(DEFAULT_TOKEN_TTL_SECONDS) });

/** Whether a recording is to be fetched: `audioUrl` beside the options. */
const hasAudioUrl = (given: unknown): given is { audioUrl: unknown } =>
  typeof given === 'object' && given !== null && 'audioUrl' in given;

/** The routes of this face. */
export function sessionRoutes(parts: HttpParts): Routes {
  const { store, access, directory, abilities, newId, publicUrl } = parts;
  const routes: Routes = new Hono<Env>();

  const read = (c: Context<Env>): Promise<Session> =>
    readSession(store.sessions, c.req.param('id')!, tenantOf(c));

  /** As it stands now: a request that is sent again may find its session far ahead. */
  const viewOf = async ({ record, isNew }: Accepted): Promise<Session> =>
    isNew ? sessionView(record, []) : await readSession(store.sessions, record.id, record.tenantId);

  const accepted = async (c: Context<Env>, recording: Accepted) =>
    c.json(await viewOf(recording), 202, { location: `/v1/sessions/${recording.record.id}` });

  const streamUrl = (c: Context<Env>, id: string): string => {
    const url = new URL(publicUrl ?? new URL(c.req.url).origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return `${url.href.replace(/\/$/, '')}/v1/sessions/${id}/stream`;
  };

  routes.post('/v1/sessions', async (c, next) => {
    if (!/^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')) return await next();
    return await accepted(c, await acceptRecording(c.req.raw, tenantOf(c), keyOf(c), parts));
  });

  routes.post('/v1/sessions', smallBody, async (c) => {
    const tenantId = tenantOf(c);
    const key = keyOf(c);
    const given = await jsonBody(c);
    if (hasAudioUrl(given)) return await accepted(c, await acceptUrl(given, tenantId, key, parts));
    const options = readOptions(given, abilities);
    directory.admit();
    const model = abilities.modelName;
    const session = { id: newId('ses'), tenantId, source: 'live', options, model, durationMs: null } as const;
    const idempotency =
      key === null ? null : { key, fingerprint: fingerprintOf('live', JSON.stringify(given)) };
    const made = await createUnder(idempotency, session, store.sessions);
    const { id } = made.record;
    // A token is shown once: who asks again with the same key gets the same session, and a token of their own.
    const stream = { url: streamUrl(c, id), ...(await access.issueToken(id, DEFAULT_TOKEN_TTL_SECONDS)) };
    return c.json({ ...(await viewOf(made)), stream }, 201, { location: `/v1/sessions/${id}` });
  });

  routes.get('/v1/sessions', async (c) => {
    const filter = check(listQuery, c.req.query()) as Parameters<typeof store.sessions.list>[1];
    const { items, nextCursor } = await store.sessions.list(tenantOf(c), filter);
    return c.json({
      items: items.map(({ record, events, delivery }) => sessionView(record, events, delivery)),
      nextCursor,
    });
  });

  routes.get('/v1/sessions/:id', async (c) => c.json(await read(c)));

  routes.get('/v1/sessions/:id/transcript', async (c) => {
    const { format } = check(transcriptQuery, c.req.query());
    return c.body(renderTranscript(await read(c), format), 200, { 'content-type': CONTENT_TYPES[format] });
  });

  routes.post('/v1/sessions/:id/tokens', smallBody, async (c) => {
    const { ttlSeconds } = check(tokenBody, await jsonBody(c));
    const { id } = await read(c);
    return c.json(await access.issueToken(id, ttlSeconds), 201);
  });

  routes.delete('/v1/sessions/:id', async (c) => {
    const id = c.req.param('id');
    const record = await store.sessions.find(id, tenantOf(c));
    if (!record) throw new Failure('not_found', 'There is no such session.');
    await parts.forget(id);
    await store.sessions.delete(id, record.tenantId);
    // Who followed it may have looked again while it was still there, and waits for what will never come.
    await parts.forget(id);
    return c.body(null, 204);
  });

  return routes;
}

const id = z.object({ id: z.string().meta({ example: 'ses_01kc0w2y8me5hbg4v0r3q9c7tz' }) });
const created = sessionSchema.extend({
  stream: z
    .object({ url: z.url(), token: z.string(), expiresAt: z.iso.datetime() })
    .describe('Where to stream to; put the token behind the url as ?token='),
});
const tags = ['Sessions'];

/** This face in the OpenAPI document. */
export const sessionPaths: ZodOpenApiPathsObject = {
  '/v1/sessions': {
    post: {
      summary: 'Open a live session (JSON), or hand in a recording (multipart)',
      tags,
      requestBody: {
        content: {
          'application/json': { schema: optionsSchema },
          'multipart/form-data': {
            schema: z.object({
              file: z.string().meta({ format: 'binary' }),
              options: z.string().optional().describe('The options, as JSON.'),
            }),
          },
        },
      },
      responses: {
        '201': {
          description: 'A live session, with where to stream to.',
          content: { 'application/json': { schema: created } },
        },
        '202': {
          description: 'A recording, waiting to be worked on.',
          content: { 'application/json': { schema: sessionSchema } },
        },
        ...problems,
      },
    },
    get: {
      summary: 'List sessions, newest first',
      tags,
      requestParams: { query: listQuery },
      responses: {
        '200': {
          description: 'A page.',
          content: {
            'application/json': {
              schema: z.object({ items: z.array(sessionSchema), nextCursor: z.string().nullable() }),
            },
          },
        },
        ...problems,
      },
    },
  },
  '/v1/sessions/{id}': {
    get: {
      summary: 'Poll a session',
      tags,
      requestParams: { path: id },
      responses: {
        '200': { description: 'The session.', content: { 'application/json': { schema: sessionSchema } } },
        ...problems,
      },
    },
    delete: {
      summary: 'Stop the work and erase the session',
      tags,
      requestParams: { path: id },
      responses: { '204': { description: 'It is gone.' }, ...problems },
    },
  },
  '/v1/sessions/{id}/transcript': {
    get: {
      summary: 'The transcript, also while it grows',
      tags,
      requestParams: { path: id, query: transcriptQuery },
      responses: {
        '200': { description: 'In the format asked for.', content: { 'text/plain': { schema: z.string() } } },
        ...problems,
      },
    },
  },
  '/v1/sessions/{id}/tokens': {
    post: {
      summary: 'A short-lived token that opens this session to a browser',
      tags,
      requestParams: { path: id },
      requestBody: { content: { 'application/json': { schema: tokenBody } } },
      responses: {
        '201': {
          description: 'Shown once.',
          content: {
            'application/json': { schema: z.object({ token: z.string(), expiresAt: z.iso.datetime() }) },
          },
        },
        ...problems,
      },
    },
  },
};
