/** Delivery by webhook, as its tenant sees it: what came of each attempt, and asking for it anew. */
import { Hono } from 'hono';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { tenantOf } from './guards.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { readSession } from './read-session.ts';
import { check, jsonBody, smallBody } from './request.ts';
import { problems, sessionSchema } from './schemas.ts';

const redeliverBody = z.strictObject({
  since: z.iso
    .datetime({ offset: true })
    .describe('Sessions that ended at this instant or later, and whose delivery was given up.'),
});

/** The routes of this face. */
export function deliveryRoutes({ store, wakeDelivery }: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();

  const read = (id: string, tenantId: string) => readSession(store.sessions, id, tenantId);

  routes.post('/v1/sessions/:id/redeliver', async (c) => {
    const [id, tenantId] = [c.req.param('id'), tenantOf(c)];
    await read(id, tenantId);
    await store.deliveries.redeliver(id, tenantId);
    wakeDelivery();
    return c.json(await read(id, tenantId), 202);
  });

  routes.get('/v1/sessions/:id/deliveries', async (c) => {
    const id = c.req.param('id');
    await read(id, tenantOf(c));
    return c.json({ items: await store.deliveries.attempts(id) });
  });

  routes.post('/v1/redeliver', smallBody, async (c) => {
    const { since } = check(redeliverBody, await jsonBody(c));
    const count = await store.deliveries.redeliverFailed(tenantOf(c), Date.parse(since));
    wakeDelivery();
    return c.json({ count }, 202);
  });

  return routes;
}

const tags = ['Deliveries'];
const id = z.object({ id: z.string() });
const attempt = z
  .object({
    attempt: z.int().min(1),
    at: z.iso.datetime(),
    status: z.int().nullable().describe('Null where no answer came.'),
    durationMs: z.int().min(0),
    error: z.string().nullable().describe('Why no answer came, in a word.'),
    response: z.string().describe('How the answer began: 1 KB at most.'),
  })
  .meta({ id: 'DeliveryAttempt' });

/** This face in the OpenAPI document. */
export const deliveryPaths: ZodOpenApiPathsObject = {
  '/v1/sessions/{id}/redeliver': {
    post: {
      summary: 'Send the webhook again, as one more attempt',
      tags,
      requestParams: { path: id },
      responses: {
        '202': { description: 'It will be.', content: { 'application/json': { schema: sessionSchema } } },
        ...problems,
      },
    },
  },
  '/v1/sessions/{id}/deliveries': {
    get: {
      summary: 'What came of each attempt to send the webhook',
      tags,
      requestParams: { path: id },
      responses: {
        '200': {
          description: 'In order.',
          content: { 'application/json': { schema: z.object({ items: z.array(attempt) }) } },
        },
        ...problems,
      },
    },
  },
  '/v1/redeliver': {
    post: {
      summary: 'Send all webhooks again that were given up since an instant',
      tags,
      requestBody: { content: { 'application/json': { schema: redeliverBody } } },
      responses: {
        '202': {
          description: 'They will be.',
          content: { 'application/json': { schema: z.object({ count: z.int().min(0) }) } },
        },
        ...problems,
      },
    },
  },
};
