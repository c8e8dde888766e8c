/**
 * `POST /v1/audio/transcriptions` and `/v1/audio/translations`: a recording like any other, whose client waits for its
 * end. It is stored, counted and followed as all sessions are, and goes on where the client leaves.
 */
import { type Context, Hono } from 'hono';
import { Failure, type FailureCode } from '../../domain/failure.ts';
import type { Task } from '../../domain/options.ts';
import type { SessionRecord } from '../../domain/session.ts';
import { finished, waitPatiently } from '../finished.ts';
import { keyOf } from '../idempotency.ts';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { isServerFault } from '../problem.ts';
import { framesResponse } from '../sse.ts';
import { acceptRecording } from '../upload.ts';
import type { Wishes } from './audio-fields.ts';
import { AudioForm } from './audio-form.ts';
import { deltaFrames } from './deltas.ts';
import { params } from './problem.ts';
import { tenantOf } from './tenant.ts';
import { answerOf } from './transcript.ts';

const TASKS: Readonly<Record<string, Task>> = {
  '/v1/audio/transcriptions': 'transcribe',
  '/v1/audio/translations': 'translate',
};

/** What is wrong with a form where no field of it is named: its file. */
const OF_THE_FILE: ReadonlySet<FailureCode> = new Set([
  'bad_request',
  'payload_too_large',
  'audio_undecodable',
  'audio_empty',
  'audio_too_long',
]);

/** The routes of this face. */
export function audioRoutes(parts: HttpParts): Routes {
  const { access, abilities, clock, logger } = parts;
  const routes: Routes = new Hono<Env>();

  const answer = async (c: Context<Env>, task: Task): Promise<Response> => {
    const tenantId = await tenantOf(c, access);
    const key = keyOf(c);
    const form = new AudioForm(task, abilities);
    try {
      const { record } = await acceptRecording(c.req.raw, tenantId, key, parts, form);
      if (!form.wishes.stream) return await whole(c, record, form.wishes);
      const onError = (error: unknown) => {
        if (isServerFault(error))
          logger.error({ err: error, requestId: c.get('requestId') }, 'a request failed');
      };
      // A comment: it says nothing, and sends the headers.
      return framesResponse(': here\n\n', (signal) => deltaFrames(record, parts, signal, onError), clock);
    } catch (error) {
      if (error instanceof Failure && OF_THE_FILE.has(error.code) && !params.has(error))
        params.set(error, 'file');
      throw error;
    }
  };

  /** The answer to a recording once it has ended. @throws Failure what it failed of. */
  const whole = async (c: Context<Env>, record: SessionRecord, wishes: Wishes): Promise<Response> => {
    waitPatiently(c);
    const { contentType, body } = answerOf(await finished(record, parts, c.req.raw.signal), wishes);
    return c.body(body, 200, { 'content-type': contentType });
  };

  for (const [path, task] of Object.entries(TASKS)) routes.post(path, (c) => answer(c, task));

  // What the vendor's clients ask for besides is told to them in their own shape.
  routes.all('/v1/audio/*', (c) => {
    const { method, path } = c.req;
    if (!(path in TASKS)) throw new Failure('not_found', `There is no ${path} here.`);
    c.header('allow', 'POST');
    throw new Failure('method_not_allowed', `${method} is not possible here; POST is.`);
  });

  return routes;
}
