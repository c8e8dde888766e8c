/** The outbox worked off: who waits for whom, and what becomes of an attempt that is broken off. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DurableEvent } from '../../src/domain/event.ts';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { Delivery, type DeliveryParts } from '../../src/jobs/delivery.ts';
import { create, done, started } from '../store/suites/fixture.ts';
import { databases, type OpenedStore } from '../support/databases.ts';

const TAKEN = { status: 204, durationMs: 1, error: null, response: '', retryAfterMs: null } as const;
const BROKEN_OFF = { ...TAKEN, status: null, error: 'cancelled' } as const;

describe.each(databases())('delivery, on $name', ({ open }) => {
  let opened: OpenedStore;
  let running: Delivery[];
  beforeEach(async () => {
    opened = await open();
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((delivery) => delivery.close()));
    await opened.cleanup();
  });

  const begin = (send: DeliveryParts['send'], told: DurableEvent[] = []): Delivery => {
    const delivery = new Delivery({
      store: opened.store,
      vendors: { deepgram: () => ({}) },
      clock: systemClock,
      random: Math.random,
      send,
      onStored: (_tenantId, event) => told.push(event),
      onError: (error) => {
        throw error;
      },
    });
    running.push(delivery);
    return delivery;
  };
  const ended = async (url: string): Promise<string> => {
    const { id } = await create(opened.store, { options: { ...DEFAULT_OPTIONS, webhook: { url } } });
    await opened.store.log.append(id, [started, done()]);
    return id;
  };
  const statesOf = (ids: readonly string[]) =>
    Promise.all(ids.map(async (id) => (await opened.store.sessions.find(id, null))!.state));

  it('does not let a receiver that hangs hold up the others', async () => {
    for (let count = 0; count < 100; count++) await ended('https://hangs.example/');
    const others = await Promise.all(Array.from({ length: 20 }, (_, at) => ended(`https://${at}.example/`)));
    const hanging = new Set<string>();
    const delivery = begin(async ({ id, url }, signal) => {
      if (!url.includes('hangs')) return TAKEN;
      hanging.add(id);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return BROKEN_OFF;
    });
    await vi.waitFor(async () => expect(new Set(await statesOf(others))).toEqual(new Set(['SENT'])), 60_000);
    expect(delivery.size).toBe(4);
    expect(hanging.size).toBe(4);
  });

  it('sends each once, however many nodes look', async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, (_, at) => ended(`https://${at % 7}.example/`)));
    const sent: string[] = [];
    const told: DurableEvent[] = [];
    for (let node = 0; node < 3; node++)
      begin(async ({ id }) => {
        sent.push(id);
        return TAKEN;
      }, told);
    await vi.waitFor(async () => expect(new Set(await statesOf(ids))).toEqual(new Set(['SENT'])), 60_000);
    expect(sent.sort()).toEqual(ids.map((id) => `msg_${id.slice(4)}`).sort());
    expect(told.map(({ type, seq }) => `${type} ${seq}`)).toEqual(Array(50).fill('session.sent 3'));
  });

  it('gives back at once what it breaks off when its node goes down', async () => {
    const id = await ended('https://slow.example/');
    const asked = vi.fn();
    const first = begin(async (_request, signal) => {
      asked();
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return BROKEN_OFF;
    });
    await vi.waitFor(() => expect(asked).toHaveBeenCalledOnce());
    await first.close();
    expect(await opened.store.deliveries.attempts(id)).toEqual([]);
    begin(async () => TAKEN);
    await vi.waitFor(async () => expect(await statesOf([id])).toEqual(['SENT']), 60_000);
    expect(await opened.store.deliveries.attempts(id)).toHaveLength(1);
  });

  it('is erased with its session while it is under way', async () => {
    const id = await ended('https://slow.example/');
    let answer = () => {};
    const told: DurableEvent[] = [];
    const delivery = begin(async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return TAKEN;
    }, told);
    await vi.waitFor(() => expect(delivery.size).toBe(1));
    const { tenantId } = (await opened.store.sessions.find(id, null))!;
    await opened.store.sessions.delete(id, tenantId);
    answer();
    await vi.waitFor(() => expect(delivery.size).toBe(0));
    expect(told).toEqual([]);
  });
});
