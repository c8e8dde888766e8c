/** Sessions over HTTP: create, poll, list, read the transcript, hand out tokens, delete. */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { Failure } from '../domain/failure.ts';
import { SESSION_STATES, type Session, sessionView } from '../domain/session.ts';
import { tenantOf } from './guards.ts';
import { failureOf, optionsSchema, readOptions } from './options.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { problemSchema, sessionSchema } from './schemas.ts';
import { CONTENT_TYPES, renderTranscript, TRANSCRIPT_FORMATS } from './transcript.ts';
import { acceptRecording } from './upload.ts';

const MAX_JSON_BYTES = 256 * 1024;
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

/** Checks what a client sent. @throws Failure `bad_request`, `unsupported_option` */
function check<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const { data, error } = schema.safeParse(given);
  if (error) throw failureOf(error);
  return data;
}

/** A JSON body; an empty one stands for no options. @throws Failure `bad_request` */
async function jsonBody(c: Context<Env>): Promise<unknown> {
  const bytes = await c.req.arrayBuffer();
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    throw new Failure('bad_request', 'The body is not JSON in UTF-8.');
  }
}

/** The routes of this face. */
export function sessionRoutes(parts: HttpParts): Routes {
  const { store, access, directory, recordings, abilities, newId, publicUrl } = parts;
  const routes: Routes = new Hono<Env>();
  const smallBody = bodyLimit({
    maxSize: MAX_JSON_BYTES,
    onError: () => {
      throw new Failure('payload_too_large', `A JSON body may have ${MAX_JSON_BYTES} bytes at most.`);
    },
  });

  const read = async (c: Context<Env>): Promise<Session> => {
    const found = await store.sessions.read(c.req.param('id')!, tenantOf(c));
    if (!found) throw new Failure('not_found', 'There is no such session.');
    return sessionView(found.record, found.events);
  };

  const streamUrl = (c: Context<Env>, id: string): string => {
    const url = new URL(publicUrl ?? new URL(c.req.url).origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return `${url.href.replace(/\/$/, '')}/v1/sessions/${id}/stream`;
  };

  routes.post('/v1/sessions', async (c, next) => {
    if (!/^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')) return await next();
    const record = await acceptRecording(c.req.raw, tenantOf(c), parts);
    return c.json(sessionView(record, []), 202, { location: `/v1/sessions/${record.id}` });
  });

  routes.post('/v1/sessions', smallBody, async (c) => {
    const tenantId = tenantOf(c);
    const options = readOptions(await jsonBody(c), abilities);
    directory.admit();
    const id = newId('ses');
    const model = abilities.modelName;
    const record = await store.sessions.create({
      id,
      tenantId,
      source: 'live',
      options,
      model,
      durationMs: null,
    });
    const stream = { url: streamUrl(c, id), ...(await access.issueToken(id, DEFAULT_TOKEN_TTL_SECONDS)) };
    return c.json({ ...sessionView(record, []), stream }, 201, { location: `/v1/sessions/${id}` });
  });

  routes.get('/v1/sessions', async (c) => {
    const filter = check(listQuery, c.req.query()) as Parameters<typeof store.sessions.list>[1];
    const { items, nextCursor } = await store.sessions.list(tenantOf(c), filter);
    return c.json({ items: items.map(({ record, events }) => sessionView(record, events)), nextCursor });
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

  routes.post('/v1/sessions/:id/redeliver', async (c) => {
    const { webhook } = await read(c);
    if (!webhook) throw new Failure('not_redeliverable', 'This session has no webhook.');
    throw new Failure('not_redeliverable', 'This session has nothing to deliver yet.');
  });

  routes.delete('/v1/sessions/:id', async (c) => {
    const id = c.req.param('id');
    const record = await store.sessions.find(id, tenantOf(c));
    if (!record) throw new Failure('not_found', 'There is no such session.');
    await directory.cancel(id);
    await recordings.cancel(id);
    await store.sessions.delete(id, record.tenantId);
    parts.hub.end(id);
    return c.body(null, 204);
  });

  return routes;
}

const id = z.object({ id: z.string().meta({ example: 'ses_01kc0w2y8me5hbg4v0r3q9c7tz' }) });
const problems = {
  '4XX': {
    description: 'What is wrong, by `code`.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
  '5XX': {
    description: 'What is wrong on our side, by `code`; `Retry-After` where trying again may help.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};
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
  '/v1/sessions/{id}/redeliver': {
    post: {
      summary: 'Send the webhook again',
      tags,
      requestParams: { path: id },
      responses: { '202': { description: 'It will be.' }, ...problems },
    },
  },
};
