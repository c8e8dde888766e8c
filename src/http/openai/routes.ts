/** OpenAI's interface, over our sessions: its clients need another address and nothing else. */
import { Hono } from 'hono';
import type { Env, HttpParts, Routes } from '../parts.ts';
import { isServerFault } from '../problem.ts';
import { audioRoutes } from './audio.ts';
import { modelRoutes } from './models.ts';
import { openAiProblem } from './problem.ts';
import { realtimeRoutes } from './realtime.ts';

/** The routes of this face. They ask for credentials themselves, and answer in OpenAI's shapes. */
export function openAiRoutes(parts: HttpParts): Routes {
  const routes: Routes = new Hono<Env>();
  routes.onError((error, c) => {
    if (isServerFault(error))
      parts.logger.error({ err: error, requestId: c.get('requestId') }, 'a request failed');
    return openAiProblem(c, error);
  });
  routes.route('/', realtimeRoutes(parts));
  routes.route('/', audioRoutes(parts));
  routes.route('/', modelRoutes(parts));
  return routes;
}
