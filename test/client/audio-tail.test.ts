import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AudioTail } from '../../src/client/audio-tail.ts';

const bytes = (from: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, (_, index) => (from + index) % 256);

/** Everything there is to send, with commits as −1. */
function drain(tail: AudioTail, maxBytes: number): number[] {
  const sent: number[] = [];
  for (let piece = tail.take(maxBytes); piece !== null; piece = tail.take(maxBytes))
    if (piece === 'commit') sent.push(-1);
    else sent.push(...piece);
  return sent;
}

describe('the audio tail', () => {
  it('sends in order, in frames no larger than asked', () => {
    const tail = new AudioTail(1000);
    tail.append(bytes(0, 10));
    tail.append(bytes(10, 5));
    expect(tail.take(4)).toEqual(bytes(0, 4));
    expect(drain(tail, 4)).toEqual([...bytes(4, 11)]);
  });

  it('sends again from any place that is still held', () => {
    const tail = new AudioTail(1000);
    tail.append(bytes(0, 100));
    drain(tail, 30);
    tail.forget(40);
    expect(tail.rewind(39)).toBe(false);
    expect(tail.rewind(101)).toBe(false);
    expect(tail.rewind(55)).toBe(true);
    expect(drain(tail, 30)).toEqual([...bytes(55, 45)]);
  });

  it('keeps a commit between the bytes where it was made, and repeats it only when sending again from before it', () => {
    const tail = new AudioTail(1000);
    tail.append(bytes(0, 4));
    tail.commit();
    tail.commit();
    tail.append(bytes(4, 4));
    expect(drain(tail, 3)).toEqual([0, 1, 2, 3, -1, 4, 5, 6, 7]);
    tail.rewind(2);
    expect(drain(tail, 3)).toEqual([2, 3, -1, 4, 5, 6, 7]);
    tail.rewind(4);
    expect(drain(tail, 3)).toEqual([4, 5, 6, 7]);
  });

  it('forgets the oldest audio already sent when it is full, and refuses what was never sent', () => {
    const tail = new AudioTail(10);
    expect(tail.append(bytes(0, 8))).toBe(true);
    expect(tail.append(bytes(8, 3))).toBe(false);
    expect(tail.unsentBytes).toBe(8);
    drain(tail, 100);
    expect(tail.append(bytes(8, 6))).toBe(true);
    expect(tail.heldBytes).toBe(10);
    expect(tail.rewind(3)).toBe(false);
    expect(tail.rewind(4)).toBe(true);
    expect(drain(tail, 100)).toEqual([...bytes(4, 10)]);
  });

  it('never sends a byte twice or out of order but by rewinding, and never holds more than its bound', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), count: fc.nat(40) }),
      fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant('forget' as const), count: fc.nat(400) }),
      fc.record({ kind: fc.constant('rewind' as const), count: fc.nat(400) }),
      fc.record({ kind: fc.constant('commit' as const), count: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const tail = new AudioTail(100);
        let added = 0;
        let next = 0;
        for (const { kind, count } of commands) {
          if (kind === 'append' && tail.append(bytes(added, count))) added += count;
          if (kind === 'commit') tail.commit();
          if (kind === 'forget') tail.forget(count);
          if (kind === 'rewind' && tail.rewind(count)) next = count;
          if (kind === 'take') {
            const piece = tail.take(count);
            if (piece && piece !== 'commit') {
              expect(piece).toEqual(bytes(next, piece.byteLength));
              next += piece.byteLength;
            }
          }
          expect(tail.unsentBytes).toBe(added - next);
          expect(tail.heldBytes).toBeLessThanOrEqual(100);
        }
      }),
    );
  });
});
