import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type AudioSource, piecesOf } from '../../src/client/audio-source.ts';

async function sizes(source: AudioSource): Promise<number[]> {
  const all: number[] = [];
  for await (const piece of piecesOf(source)) all.push(piece.byteLength);
  return all;
}

/** A stream such as browsers have that cannot be iterated. */
function uniterable(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return new Proxy(stream, {
    has: (target, name) => name !== Symbol.asyncIterator && name in target,
    get(target, name) {
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a source of audio', () => {
  it('may be a list, a generator, a Node stream or a ReadableStream', async () => {
    const pieces = () => [new Uint8Array(3), new Int16Array(2), new ArrayBuffer(5)];
    async function* generated() {
      yield* pieces();
    }
    const node = Readable.from([Buffer.alloc(3), Buffer.alloc(4)]);
    const web = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(new Uint8Array(7));
          controller.close();
        },
      });
    expect(await sizes(pieces())).toEqual([3, 4, 5]);
    expect(await sizes(generated())).toEqual([3, 4, 5]);
    expect(await sizes(node)).toEqual([3, 4]);
    expect(await sizes(web())).toEqual([7]);
    expect(await sizes(uniterable(web()))).toEqual([7]);
  });

  it('is cut where its pieces are too large to wait between', async () => {
    const whole = Uint8Array.from({ length: 150_000 }, (_, at) => at % 251);
    const pieces: Uint8Array[] = [];
    for await (const piece of piecesOf([whole.subarray(1)])) pieces.push(piece);
    expect(pieces.map(({ length }) => length)).toEqual([65_536, 65_536, 18_927]);
    expect(Buffer.concat(pieces)).toEqual(Buffer.from(whole.subarray(1)));
  });

  it('is stopped by a reader who stops, and tells its own failures', async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const _piece of piecesOf(uniterable(endless))) break;
    expect(cancelled).toBe(true);
    const broken = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error('the device is gone')),
    });
    await expect(sizes(uniterable(broken))).rejects.toThrow('the device is gone');
  });
});
