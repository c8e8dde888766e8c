/** Short-lived secrets for Realtime clients that must not have a key, such as browsers. */
import { Hono } from 'hono';
import * as z from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { Failure } from '../../domain/failure.ts';
import { credentialOf } from '../access.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { check, jsonBody, smallBody } from '../request.ts';
import { initialSettings, settingsSchema, updated } from './realtime-config.ts';

const errorSchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
    }),
  })
  .meta({ id: 'OpenAiError' });

/** The answers of this face where something is wrong, for the OpenAPI document. */
export const openAiProblems = {
  '4XX': {
    description: 'What is wrong, and at which field.',
    content: { 'application/json': { schema: errorSchema } },
  },
  '5XX': {
    description: 'What is wrong on our side.',
    content: { 'application/json': { schema: errorSchema } },
  },
};

const body = z.strictObject({
  expires_after: z
    .strictObject({
      anchor: z.literal('created_at').default('created_at'),
      seconds: z.int().min(10).max(7200).default(600),
    })
    .prefault({}),
  session: z.unknown().optional(),
});

/** The routes of this face. */
export function clientSecretRoutes({ access, abilities, newId }: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();
  routes.post('/v1/realtime/client_secrets', smallBody, async (c) => {
    const caller = await access.identify(credentialOf({ authorization: c.req.header('authorization') }));
    if (caller.kind !== 'tenant')
      throw new Failure(
        'forbidden',
        'A token opens a session and makes no further tokens; this needs a key.',
      );
    const { expires_after, session = {} } = check(body, await jsonBody(c));
    const settings = updated(initialSettings(abilities.modelName), session, abilities);
    const grant = { tenantId: caller.tenantId, settings: session };
    const { token, expiresAtMs } = await access.grant(grant, expires_after.seconds);
    const expires_at = Math.floor(expiresAtMs / 1000);
    const id = newId('req').replace(/^req_/, 'sess_');
    const object = 'realtime.transcription_session';
    return c.json({ value: token, expires_at, session: { id, object, ...settings } });
  });
  return routes;
}

/** This face in the OpenAPI document. */
export const clientSecretPaths: ZodOpenApiPathsObject = {
  '/v1/realtime/client_secrets': {
    post: {
      summary: 'A short-lived secret that opens Realtime connections, with their configuration',
      tags: ['OpenAI'],
      requestBody: {
        content: { 'application/json': { schema: body.extend({ session: settingsSchema.optional() }) } },
      },
      responses: {
        '200': {
          description: 'Shown once.',
          content: {
            'application/json': {
              schema: z.object({ value: z.string(), expires_at: z.int(), session: settingsSchema.loose() }),
            },
          },
        },
        ...openAiProblems,
      },
    },
  },
};
