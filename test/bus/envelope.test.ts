import { describe, expect, it } from 'vitest';
import type { BusMessage } from '../../src/bus/bus.ts';
import { seal, unseal } from '../../src/bus/envelope.ts';
import { EVENTS, final, partial, telling } from './messages.ts';

const ROOM = 100_000;
const travel = (message: BusMessage, maxBytes = ROOM) => unseal(seal({ from: 'a', message }, maxBytes)!);

describe('an envelope', () => {
  it.each(Object.values(EVENTS))('brings $type as it was told, to the byte', (event) => {
    const arrived = travel(telling(event));
    expect(JSON.stringify(arrived)).toBe(JSON.stringify({ from: 'a', message: telling(event) }));
  });

  it.each<BusMessage>([
    { kind: 'follow', sessionId: 'ses_1' },
    { kind: 'changed', sessionId: 'ses_1', seq: 3 },
    { kind: 'take', sessionId: 'ses_1', requestId: 'req_1' },
    { kind: 'cancel', sessionId: 'ses_1' },
  ])('brings $kind', (message) => {
    expect(travel(message)).toEqual({ from: 'a', message });
  });

  it('keeps what a newer node adds to an event', () => {
    const event = { ...final('ses_1', 1), speaker: 'B' };
    expect(travel(telling(event))?.message).toEqual(telling(event));
  });

  it('says that the log has a durable event that is too large', () => {
    const event = final('ses_1', 8, 'a'.repeat(500));
    expect(travel(telling(event), 500)?.message).toEqual({ kind: 'changed', sessionId: 'ses_1', seq: 8 });
  });

  it('counts bytes and not characters', () => {
    const event = final('ses_1', 8, '다'.repeat(100));
    const bytes = Buffer.byteLength(JSON.stringify({ from: 'a', message: telling(event) }));
    expect(travel(telling(event), bytes)?.message.kind).toBe('event');
    expect(travel(telling(event), bytes - 1)?.message.kind).toBe('changed');
  });

  it('has no room for a hint that is too large', () => {
    const message = telling(partial('ses_1', 'utt_1', 'a'.repeat(500)));
    expect(seal({ from: 'a', message }, 500)).toBeNull();
  });

  const { text: _, ...withoutText } = EVENTS['transcript.final'];
  const follow = { kind: 'follow', sessionId: 'ses_1' };
  it.each<[string, unknown]>([
    ['a number', 3],
    ['a list', []],
    ['null', null],
    ['no sender', { message: follow }],
    ['a nameless sender', { from: '', message: follow }],
    ['no message', { from: 'a' }],
    ['a kind nobody knows', { from: 'a', message: { ...follow, kind: 'sing' } }],
    ['no session', { from: 'a', message: { kind: 'cancel' } }],
    ['an endless id', { from: 'a', message: { ...follow, sessionId: 's'.repeat(201) } }],
    ['a take without a request', { from: 'a', message: { kind: 'take', sessionId: 'ses_1' } }],
    ['a seq of 0', { from: 'a', message: { kind: 'changed', sessionId: 'ses_1', seq: 0 } }],
    ['no event', { from: 'a', message: { kind: 'event', tenantId: 'local' } }],
    ['an event of no type', { from: 'a', message: { kind: 'event', tenantId: 'local', event: {} } }],
    [
      'an event of a type nobody knows',
      {
        from: 'a',
        message: { kind: 'event', tenantId: 'local', event: { ...withoutText, type: 'toString' } },
      },
    ],
    [
      'an event without a field of its type',
      { from: 'a', message: { kind: 'event', tenantId: 'local', event: withoutText } },
    ],
    [
      'an event without a seq that needs one',
      {
        from: 'a',
        message: { kind: 'event', tenantId: 'local', event: { ...EVENTS['session.sent'], seq: undefined } },
      },
    ],
  ])('refuses %s', (_name, value) => {
    expect(unseal(JSON.stringify(value))).toBeNull();
  });

  it.each(['', 'hello', '{"from":"a"', '\u0000'])('refuses what is no JSON: %j', (text) => {
    expect(unseal(text)).toBeNull();
  });
});
