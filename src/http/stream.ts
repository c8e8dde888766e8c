/** The WebSocket: audio up, events down. */
import { upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { WebSocket } from 'ws';
import { Failure } from '../domain/failure.ts';
import type { SessionRecord } from '../domain/session.ts';
import { credentialOf } from './access.ts';
import { optionsFromQuery, readOptions } from './options.ts';
import type { Env, HttpParts, Routes } from './parts.ts';
import { StreamSocket } from './stream-socket.ts';

/** Query parameters that are not options of the session. */
const NOT_OPTIONS = new Set(['token', 'after']);

/** The routes of this face. Refusals come after the upgrade, since a browser cannot read a status before it. */
export function streamRoutes(parts: HttpParts): Routes {
  const { store, access, directory, abilities, newId } = parts;
  const routes: Routes = new Hono<Env>();

  const identify = (c: Context<Env>) =>
    access.identify(
      credentialOf({
        authorization: c.req.header('authorization'),
        token: c.req.query('token'),
        subprotocols: c.req.header('sec-websocket-protocol'),
      }),
    );

  const existing = async (c: Context<Env>): Promise<SessionRecord> => {
    const id = c.req.param('id')!;
    const caller = await identify(c);
    if (caller.kind === 'token' && caller.sessionId !== id)
      throw new Failure('unauthorized', 'The token is for another session.');
    const record = await store.sessions.find(id, caller.tenantId);
    if (!record) throw new Failure('not_found', 'There is no such session.');
    if (record.source !== 'live')
      throw new Failure('bad_request', 'This session is a recording; it takes no stream.');
    return record;
  };

  const created = async (c: Context<Env>): Promise<SessionRecord> => {
    const caller = await identify(c);
    if (caller.kind !== 'tenant')
      throw new Failure('unauthorized', 'A session token opens its own session only; this needs a key.');
    const query = Object.fromEntries(
      Object.entries(c.req.query()).filter(([name]) => !NOT_OPTIONS.has(name)),
    );
    const options = readOptions(optionsFromQuery(query), abilities);
    directory.admit();
    const model = abilities.modelName;
    const { tenantId } = caller;
    return await store.sessions.create({
      id: newId('ses'),
      tenantId,
      source: 'live',
      options,
      model,
      durationMs: null,
    });
  };

  const socket = (find: (c: Context<Env>) => Promise<SessionRecord>) =>
    upgradeWebSocket((c: Context<Env>) => {
      const after = c.req.query('after');
      return {
        onOpen: (_event, ws) => {
          new StreamSocket(ws.raw as unknown as WebSocket, parts).serve(() => find(c), after);
        },
      };
    });

  routes.get('/v1/sessions/:id/stream', onlyUpgrades, socket(existing));
  routes.get('/v1/stream', onlyUpgrades, socket(created));
  return routes;
}

const onlyUpgrades = async (c: Context<Env>, next: () => Promise<void>): Promise<void> => {
  if (c.req.header('upgrade')?.toLowerCase() !== 'websocket')
    throw new Failure('bad_request', 'This address speaks WebSocket: connect with ws:// or wss://.');
  await next();
};
