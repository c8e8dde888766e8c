/** All faces behind one door. */
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { Failure } from '../domain/failure.ts';
import { deepgramRoutes } from './deepgram/routes.ts';
import { deliveryRoutes } from './deliveries.ts';
import { docsRoutes } from './docs.ts';
import { eventRoutes } from './events.ts';
import { authenticate, bodiless, type OriginRule, origins, requestId } from './guards.ts';
import { openAiRoutes } from './openai/routes.ts';
import { type OperationParts, operationRoutes } from './operations.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { isServerFault, problem } from './problem.ts';
import { sessionRoutes } from './sessions.ts';
import { streamRoutes } from './stream.ts';

export interface ApiParts extends HttpParts {
  readonly operations: OperationParts;
  /** False for a node that only works: it answers for its own operation and nothing else. */
  readonly servesClients: boolean;
  readonly origins: OriginRule;
  /** The built page. */
  readonly pageFolder: string;
  /** The built client library. */
  readonly clientFolder: string;
  readonly version: string;
}

const HEADERS = secureHeaders({
  crossOriginResourcePolicy: false,
  xFrameOptions: 'DENY',
  contentSecurityPolicy: {
    defaultSrc: ["'self'"],
    connectSrc: ["'self'", 'ws:', 'wss:'],
    workerSrc: ["'self'", 'blob:'],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    mediaSrc: ["'self'", 'blob:'],
    objectSrc: ["'none'"],
    baseUri: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** The gateway's HTTP interface; `fetch` it, or call `request()` in a test. */
export function createApi(parts: ApiParts): Routes {
  const api: Routes = new Hono<Env>();
  api.use(requestId(parts.newId));
  api.use(bodiless);
  api.onError((given, c) => {
    const error = hungUp(given) ? new Failure('bad_request', 'The request broke off.') : given;
    if (isServerFault(error))
      parts.logger.error({ err: error, requestId: c.get('requestId') }, 'a request failed');
    return problem(c, error);
  });

  api.route('/', operationRoutes(parts.operations));
  if (!parts.servesClients) {
    api.notFound((c) =>
      problem(
        c,
        new Failure('not_found', 'This node works for others and serves no clients (ROLES=worker).'),
      ),
    );
    return api;
  }
  // Response headers of an upgraded connection are not ours to set.
  api.use(async (c, next) => (c.req.header('upgrade') ? await next() : await HEADERS(c, next)));
  api.use(origins(parts.origins));
  api.route('/', docsRoutes(parts.version));
  api.route('/', streamRoutes(parts));
  api.route('/', openAiRoutes(parts));
  api.route('/', deepgramRoutes(parts));
  api.use('/v1/*', authenticate(parts.access));
  api.route('/', sessionRoutes(parts));
  api.route('/', deliveryRoutes(parts));
  api.route('/', eventRoutes(parts));
  // The client as it is: modules that a page can import without a build of its own.
  api.get(
    '/client/*',
    serveStatic({ root: parts.clientFolder, rewriteRequestPath: (path) => path.slice('/client'.length) }),
  );
  api.get('/*', serveStatic({ root: parts.pageFolder }));

  api.notFound((c) => {
    const { method, path } = c.req;
    const methods = methodsAt(api, path);
    if (methods.length === 0)
      return problem(
        c,
        new Failure('not_found', 'There is nothing at this address; /docs lists what there is.'),
      );
    const allow = methods.join(', ');
    c.header('allow', allow);
    if (method === 'OPTIONS') return c.body(null, 204);
    return problem(c, new Failure('method_not_allowed', `${method} is not possible here; ${allow} is.`));
  });
  return api;
}

/** What can be done at an address: none tells a wrong address from a wrong method. */
function methodsAt(api: Routes, path: string): string[] {
  const matches = (pattern: string) => new RegExp(`^${pattern.replace(/:[a-z]+/g, '[^/]+')}$`).test(path);
  const known = api.routes.filter(
    (route) => route.method !== 'ALL' && !route.path.includes('*') && matches(route.path),
  );
  const methods = new Set(known.map((route) => route.method));
  return methods.has('GET') ? [...methods, 'HEAD'] : [...methods];
}

/** Whether the client went away while its request was read: nobody's fault here, and nobody is left to tell. */
const hungUp = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ECONNRESET';
