/** What the faces need of the house, and what a request carries through them. */
import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Logger } from 'pino';
import type { NewId } from '../domain/ids.ts';
import type { Clock } from '../flow/clock.ts';
import type { Recordings } from '../jobs/recordings.ts';
import type { Uploads } from '../jobs/uploads.ts';
import type { Directory } from '../session/directory.ts';
import type { Hub } from '../session/hub.ts';
import type { Store } from '../store/store.ts';
import type { Access, Caller } from './access.ts';
import type { Abilities } from './options.ts';

export interface HttpLimits {
  readonly maxFrameBytes: number;
  readonly maxUploadBytes: number;
  readonly idleMs: number;
  readonly maxSessionMs: number;
}

export interface HttpParts {
  readonly store: Store;
  readonly hub: Hub;
  readonly directory: Directory;
  readonly recordings: Recordings;
  readonly uploads: Uploads;
  /** Drops what is done for a session that is being deleted, on all nodes. */
  readonly forget: (sessionId: string) => Promise<void>;
  /** Wakes the delivery of webhooks on this node. */
  readonly wakeDelivery: () => void;
  /** @throws Failure `address_not_allowed` for an address the gateway must not fetch from. */
  readonly checkAddress: (url: string) => void;
  readonly access: Access;
  readonly abilities: Abilities;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly limits: HttpLimits;
  readonly logger: Logger;
  /** How clients reach this gateway, without a slash at the end; null to go by the request. */
  readonly publicUrl: string | null;
}

export interface Env {
  Bindings: HttpBindings;
  Variables: { requestId: string; caller: Caller };
}

export type Routes = Hono<Env>;
