/** Deepgram's interface, over our sessions: its clients need another address and nothing else. */
import { Hono } from 'hono';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { isServerFault } from '../problem.ts';
import { grantRoutes } from './grant.ts';
import { listenRoutes } from './listen.ts';
import { prerecordedRoutes } from './prerecorded.ts';
import { deepgramProblem } from './problem.ts';

/** The routes of this face. They ask for credentials themselves, and answer in Deepgram's shapes. */
export function deepgramRoutes(parts: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();
  routes.onError((error, c) => {
    if (isServerFault(error))
      parts.logger.error({ err: error, requestId: c.get('requestId') }, 'a request failed');
    return deepgramProblem(c, error);
  });
  routes.route('/', listenRoutes(parts));
  routes.route('/', prerecordedRoutes(parts));
  routes.route('/', grantRoutes(parts));
  return routes;
}
