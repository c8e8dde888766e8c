import { describe, expect, it } from 'vitest';
import { Broadcast, Lagged } from '../../src/flow/broadcast.ts';

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
};
describe('a broadcast', () => {
  it('gives every listener everything published since it began to listen', async () => {
    const broadcast = new Broadcast<number>();
    const early = broadcast.listen(8);
    broadcast.publish(1);
    const late = broadcast.listen(8);
    broadcast.publish(2);
    broadcast.close();
    expect(await all(early)).toEqual([1, 2]);
    expect(await all(late)).toEqual([2]);
  });

  it('cuts a listener off that falls behind, and nobody else', async () => {
    const broadcast = new Broadcast<number>();
    const slow = broadcast.listen(2);
    const steady = broadcast.listen(8);
    for (const item of [1, 2, 3]) broadcast.publish(item);
    broadcast.close();
    await expect(all(slow)).rejects.toBeInstanceOf(Lagged);
    expect(await all(steady)).toEqual([1, 2, 3]);
  });

  it('forgets a listener that stops', async () => {
    const broadcast = new Broadcast<number>();
    const listener = broadcast.listen(2);
    expect(broadcast.size).toBe(1);
    listener.stop();
    expect(broadcast.size).toBe(0);
    expect(await all(listener)).toEqual([]);
  });
});
