import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../src/bus/bus.ts';
import { natsAddress } from '../../src/bus/nats-address.ts';
import { openBus } from '../../src/bus/open-bus.ts';
import { seldom } from '../../src/bus/seldom.ts';
import { FakeClock } from '../support/fake-clock.ts';

const onError = () => {};

describe('opening the bus', () => {
  it('makes one that does nothing for a node that is alone', async () => {
    const bus = openBus({ nodeId: 'a', natsUrl: null, databaseUrl: null, onError });
    const heard: BusMessage[] = [];
    bus.onMessage((message) => heard.push(message))();
    bus.send({ kind: 'cancel', sessionId: 'ses_1' });
    await bus.close();
    expect(heard).toEqual([]);
    expect(bus.counts.sent).toBe(0);
  });

  it.each(['earshot.>', '*', 'two words', '', 'a..b', '.a'])(
    'refuses %j as the prefix of subjects',
    (natsPrefix) => {
      const open = () =>
        openBus({ nodeId: 'a', natsUrl: 'nats://h', natsPrefix, databaseUrl: null, onError });
      expect(open).toThrow(expect.objectContaining({ code: 'bad_request' }));
    },
  );

  it.each([
    { natsUrl: 'nats://127.0.0.1:1', databaseUrl: 'postgresql://nobody@127.0.0.1:1/none' },
    { natsUrl: null, databaseUrl: 'postgresql://nobody@127.0.0.1:1/none' },
  ])('is there, and can be closed, where nobody answers: %j', async (urls) => {
    let told = () => {};
    const failed = new Promise<void>((resolve) => {
      told = resolve;
    });
    const bus = openBus({ nodeId: 'a', ...urls, onError: told });
    bus.send({ kind: 'cancel', sessionId: 'ses_1' });
    await failed;
    await bus.close();
    expect(bus.counts).toMatchObject({ sent: 0, dropped: 1 });
  });
});

describe('a NATS address', () => {
  it.each([
    ['nats://127.0.0.1:4222', { servers: ['127.0.0.1:4222'] }],
    ['nats://nats.internal', { servers: ['nats.internal'] }],
    ['nats://[::1]:4222', { servers: ['[::1]:4222'] }],
    ['nats://a:4222, nats://b:4223', { servers: ['a:4222', 'b:4223'] }],
    ['nats://me:p%40ss@a:1', { servers: ['a:1'], user: 'me', pass: 'p@ss' }],
    ['nats://s3cr3t@a:1', { servers: ['a:1'], token: 's3cr3t' }],
    ['nats://a:1,nats://me:pass@b:1', { servers: ['a:1', 'b:1'], user: 'me', pass: 'pass' }],
    ['tls://a:1', { servers: ['a:1'], tls: {} }],
  ])('%s is taken apart', (address, options) => {
    expect(natsAddress(address)).toEqual(options);
  });

  it.each(['', 'a:4222', 'http://a', 'nats://', 'nats://a,', 'nats://me:%@a'])('%j is none', (address) => {
    expect(() => natsAddress(address)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});

describe('errors told seldom', () => {
  it('are told once a minute', async () => {
    const clock = new FakeClock();
    const told: unknown[] = [];
    const tell = seldom((error) => told.push(error), clock);
    for (let second = 0; second <= 120; second++) {
      tell(second);
      await clock.advance(1000);
    }
    expect(told).toEqual([0, 60, 120]);
  });
});
