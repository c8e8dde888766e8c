/** Chooses how the nodes talk to each other: by what the settings name. */
import { type Clock, systemClock } from '../flow/clock.ts';
import { alone } from './alone.ts';
import type { Bus } from './bus.ts';
import { NatsBus } from './nats-bus.ts';
import { PostgresBus } from './postgres-bus.ts';
import { seldom } from './seldom.ts';

export interface BusOptions {
  /** Another for every process: a node takes what bears its own id for its own words. */
  readonly nodeId: string;
  /** `nats://host:port`, or null where there is none. */
  readonly natsUrl: string | null;
  /** What NATS subjects begin with; `earshot`. */
  readonly natsPrefix?: string;
  /** `postgresql://…`, or null for the embedded database, which no other node can open. */
  readonly databaseUrl: string | null;
  /** Told what goes wrong, at most once a minute. Nothing has to be done about it: the bus goes on trying. */
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock;
}

/**
 * NATS where there is an address of it, else PostgreSQL, else nothing. It is there at once, and connects by and by.
 * @throws Failure `bad_request` where the NATS address or prefix is none.
 */
export function openBus(options: BusOptions): Bus {
  const { nodeId, natsUrl, natsPrefix: prefix = 'earshot', databaseUrl, clock = systemClock } = options;
  const onError = seldom(options.onError, clock);
  if (natsUrl !== null) return new NatsBus({ url: natsUrl, prefix, nodeId, clock, onError });
  if (databaseUrl !== null) return new PostgresBus({ url: databaseUrl, nodeId, clock, onError });
  return alone();
}
