import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSecret, secretsInUse, sign } from '../../src/webhooks/signature.ts';

const secretOf = (byte: number, bytes = 32): string =>
  `whsec_${Buffer.alloc(bytes, byte).toString('base64')}`;
const secret = secretOf(1);
const nowMs = Date.UTC(2025, 0, 1, 12, 0, 0, 789);

describe('a signature', () => {
  // The package reads the time itself.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: nowMs }));
  afterEach(() => void vi.useRealTimers());

  const verify = (body: string, headers: Record<string, string>, by = secret): unknown =>
    new Webhook(by).verify(body, headers);

  const bodies = fc
    .jsonValue({ stringUnit: 'binary' })
    .map((data) => JSON.stringify({ type: 'session.done', data }));

  it('verifies with the package of Standard Webhooks, whatever the body', () => {
    fc.assert(
      fc.property(bodies, fc.uuid(), (body, id) => {
        const headers = sign({ id: `msg_${id}`, atMs: nowMs, body }, [secret]);
        expect(verify(body, headers)).toEqual(JSON.parse(body));
      }),
      { numRuns: 1000 },
    );
  });

  it('does not verify with one byte changed', () => {
    fc.assert(
      fc.property(bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, where, by) => {
        const headers = sign({ id: 'msg_1', atMs: nowMs, body }, [secret]);
        const bytes = Buffer.from(body);
        bytes[where % bytes.length]! ^= by;
        // A byte that is no UTF-8 becomes another character when read, so it stays a change.
        expect(() => verify(bytes.toString(), headers)).toThrow('No matching signature');
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['webhook-id', 'webhook-timestamp'])('covers %s', (name) => {
    const headers = sign({ id: '1', atMs: nowMs, body: '{}' }, [secret]);
    expect(() => verify('{}', { ...headers, [name]: String(Number(headers[name]) + 1) })).toThrow(
      'No matching signature',
    );
  });

  it.each([
    [-301, 'too old'],
    [301, 'too new'],
  ])('does not verify %i s off', (offS, why) => {
    const headers = sign({ id: 'msg_1', atMs: nowMs + 1000 * offS, body: '{}' }, [secret]);
    expect(() => verify('{}', headers)).toThrow(why);
  });

  it.each([-300, 300])('verifies %i s off', (offS) => {
    const headers = sign({ id: 'msg_1', atMs: nowMs + 1000 * offS, body: '{}' }, [secret]);
    expect(verify('{}', headers)).toEqual({});
  });

  it('verifies with either secret while two are in use, and with no third', () => {
    const former = secretOf(2, 24);
    const headers = sign({ id: 'msg_1', atMs: nowMs, body: '{}' }, [secret, former]);
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    expect(verify('{}', headers, secret)).toEqual({});
    expect(verify('{}', headers, former)).toEqual({});
    expect(() => verify('{}', headers, secretOf(3))).toThrow('No matching signature');
  });
});

describe('a secret', () => {
  const ROWS: [string, string, boolean][] = [
    ['24 bytes', secretOf(1, 24), true],
    ['32 bytes', secretOf(255, 32), true],
    ['64 bytes', secretOf(1, 64), true],
    ['23 bytes', secretOf(1, 23), false],
    ['65 bytes', secretOf(1, 65), false],
    ['no prefix', secretOf(1).slice(6), false],
    ['another prefix', secretOf(1).replace('whsec', 'whsek'), false],
    ['no padding', secretOf(1).replaceAll('=', ''), false],
    ['base64 for addresses', secretOf(255, 32).replaceAll('/', '_'), false],
    ['a line break', `${secretOf(1)}\n`, false],
    ['nothing', 'whsec_', false],
  ];
  it.each(ROWS)('of %s', (_what, text, isOne) => {
    expect(isSecret(text)).toBe(isOne);
    if (isOne) expect(() => new Webhook(text)).not.toThrow();
  });
});

describe('the secrets in use', () => {
  const [present, earlier] = [secretOf(1), secretOf(2)];
  const DAY_MS = 86_400_000;
  it.each([
    ['none', [], 0, null],
    ['one', [present], 0, [present]],
    ['two, on the day', [present, earlier], DAY_MS - 1, [present, earlier]],
    ['two, a day later', [present, earlier], DAY_MS, [present]],
  ] as const)('are, of %s: %#', (_what, secrets, ageMs, expected) => {
    expect(secretsInUse(secrets, nowMs, nowMs + ageMs)).toEqual(expected);
  });
});
