import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/flow/clock.ts';
import { verifyModel } from '../../src/models/verify.ts';
import { openCheckpoint } from '../../src/whisper/weights/checkpoint.ts';
import { type DownloadProgress, fetchFromHub, parseHubId } from '../../src/whisper/weights/hub.ts';
import { resolveModel } from '../../src/whisper/weights/resolve.ts';
import {
  type Answer,
  cutAfter,
  type FakeHub,
  fakeHub,
  ignoreRange,
  otherRange,
  sendInstead,
  stall,
  status,
} from './fake-hub.ts';
import { tinyCheckpoint } from './tiny-checkpoint.ts';

const root = mkdtempSync(join(tmpdir(), 'hub-'));
afterAll(() => rmSync(root, { recursive: true }));

/** Waits a hundredth of what is asked for. */
const hastyClock: Clock = {
  ...systemClock,
  after: (delayMs, fire) => systemClock.after(delayMs / 100, fire),
};

const ID = { owner: 'someone', name: 'whisper-tiny', revision: 'main' };
const WEIGHTS = 'model.safetensors';
let hub: FakeHub;
let folder: string;
let count = 0;

beforeEach(async () => {
  hub = await fakeHub(ID.owner, ID.name);
  await offer({});
  folder = join(root, `models-${count++}`);
});
afterEach(() => hub.close());

async function offer(options: Parameters<typeof tinyCheckpoint>[1]): Promise<void> {
  const source = await tinyCheckpoint(join(root, `source-${count++}`), options);
  hub.files.clear();
  for (const name of readdirSync(source)) hub.files.set(name, readFileSync(join(source, name)));
  hub.files.set('pytorch_model.bin', Buffer.from('not asked for'));
}

const fetchIt = (options: { signal?: AbortSignal; onProgress?: (progress: DownloadProgress) => void } = {}) =>
  fetchFromHub(ID, { folder, endpoint: hub.url, clock: hastyClock, ...options });
const answer = (file: string, ...answers: Answer[]) => hub.answers.set(file, answers);
const requestsFor = (file: string) => hub.requests.filter((path) => path.includes(`/storage/${file}`));
const arrived = (path: string) => readFileSync(join(path, WEIGHTS)).equals(weights());
const weights = () => hub.files.get(WEIGHTS)!;

describe('a model on the hub', () => {
  it('is fetched once, checked, and then there without the hub', async () => {
    const path = await fetchIt();
    expect(path).toBe(join(folder, 'someone', 'whisper-tiny'));
    expect((await openCheckpoint(path)).name).toBe('whisper-tiny');
    expect(await verifyModel(path)).not.toBeNull();
    expect(readdirSync(path)).not.toContain('pytorch_model.bin');
    expect(readdirSync(join(folder, 'someone'))).toEqual(['whisper-tiny']);
    await hub.close();
    expect(await fetchIt()).toBe(path);
  });

  it('is kept apart by revision', async () => {
    const options = { folder, endpoint: `${hub.url}/`, clock: hastyClock };
    const path = await fetchFromHub({ ...ID, revision: 'refs/pr/1' }, options);
    expect(path).toBe(join(folder, 'someone', 'whisper-tiny@refs--pr--1'));
    expect(hub.requests[0]).toBe('/api/models/someone/whisper-tiny/revision/refs%2Fpr%2F1');
  });

  it('is fetched in all its shards', async () => {
    await offer({ shards: 3 });
    const path = await fetchIt();
    expect(readdirSync(path).filter((name) => name.endsWith('.safetensors'))).toHaveLength(3);
    await openCheckpoint(path);
  });

  it('tells how far the download is', async () => {
    const seen: DownloadProgress[] = [];
    await fetchIt({ onProgress: (progress) => seen.push(progress) });
    const fetched = [
      'config.json',
      'tokenizer.json',
      'generation_config.json',
      'tokenizer_config.json',
      WEIGHTS,
    ];
    const total = fetched.reduce((sum, name) => sum + hub.files.get(name)!.length, 0);
    expect(seen.at(-1)).toEqual({ receivedBytes: total, totalBytes: total });
    const received = seen.map(({ receivedBytes }) => receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });
});

describe('a download that is interrupted', () => {
  it('goes on where it was cut', async () => {
    answer(WEIGHTS, cutAfter(5000), cutAfter(7000));
    const path = await fetchIt();
    expect(arrived(path)).toBe(true);
    expect(requestsFor(WEIGHTS)).toEqual([
      '/storage/model.safetensors',
      '/storage/model.safetensors bytes=5000-',
      '/storage/model.safetensors bytes=12000-',
    ]);
  });

  it('goes on in a later run, without fetching again what is there', async () => {
    answer(WEIGHTS, cutAfter(5000), ...Array<Answer>(4).fill(status(503)));
    await expect(fetchIt()).rejects.toMatchObject({ reason: 'unreachable' });
    hub.requests.length = 0;
    const path = await fetchIt();
    expect(arrived(path)).toBe(true);
    expect(requestsFor('')).toEqual(['/storage/model.safetensors bytes=5000-']);
  });

  it.each([
    ['ignores ranges', ignoreRange],
    ['answers with another range', otherRange],
    ['says there is no such range', status(416)],
  ])('begins anew where the server %s', async (_, behaviour) => {
    answer(WEIGHTS, cutAfter(5000), behaviour);
    expect(arrived(await fetchIt())).toBe(true);
  });

  it('is not waited for where nothing comes', async () => {
    answer(WEIGHTS, stall);
    expect(arrived(await fetchIt())).toBe(true);
  });

  it('survives a server that is busy', async () => {
    answer('', status(503), status(429));
    answer('config.json', status(500), status(502), status(408));
    await fetchIt();
  });

  it('is given up where attempts bring nothing new', async () => {
    answer(WEIGHTS, ...Array<Answer>(20).fill(ignoreRangeAndCut));
    await expect(fetchIt()).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining(WEIGHTS),
    });
    expect(requestsFor(WEIGHTS).length).toBeLessThan(8);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    answer(WEIGHTS, (request, response, body) => {
      abort.abort(new Error('enough'));
      cutAfter(10)(request, response, body);
    });
    await expect(fetchIt({ signal: abort.signal })).rejects.toThrow('enough');
  });
});

/** Always the same beginning. */
const ignoreRangeAndCut: Answer = (request, response, body) => {
  delete request.headers.range;
  cutAfter(3000)(request, response, body);
};

describe('a download that is not what was announced', () => {
  it('is fetched once more, and is then right', async () => {
    answer(WEIGHTS, sendInstead(Buffer.alloc(weights().length)));
    expect(arrived(await fetchIt())).toBe(true);
  });

  it.each([
    ['is larger', () => Buffer.concat([weights(), Buffer.from('more')])],
    ['is another one', () => Buffer.alloc(weights().length, 1)],
  ])('is refused where it %s, twice', async (_, other) => {
    answer(WEIGHTS, sendInstead(other()), sendInstead(other()));
    await expect(fetchIt()).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining(WEIGHTS),
    });
    expect(readdirSync(join(folder, 'someone'))).not.toContain('whisper-tiny');
  });

  it('is given up where there is less than announced', async () => {
    hub.announced.set(WEIGHTS, { size: weights().length + 1 });
    await expect(fetchIt()).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('does not fill the disk', async () => {
    const endless = Buffer.alloc(1 << 20);
    let sent = 0;
    const pour: Answer = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        if (response.destroyed || sent > 100 * endless.length) return;
        sent += endless.length;
        response.write(endless, more);
      };
      more();
    };
    answer(WEIGHTS, pour, pour);
    await expect(fetchIt()).rejects.toMatchObject({ reason: 'damaged' });
    expect(sent).toBeLessThan(50 * endless.length);
  });

  it('is told by the id of its git blob where it is small', async () => {
    hub.announced.set('config.json', { git: 'a'.repeat(40) });
    await expect(fetchIt()).rejects.toMatchObject({
      reason: 'damaged',
      message: expect.stringContaining('config.json'),
    });
  });
});

describe('a model that cannot be had', () => {
  it('is missing where the hub does not know it', async () => {
    const unknown = { ...ID, name: 'whisper-none' };
    const options = { folder, endpoint: hub.url, clock: hastyClock };
    await expect(fetchFromHub(unknown, options)).rejects.toMatchObject({
      reason: 'missing',
      message: expect.stringContaining('someone/whisper-none'),
    });
  });

  it.each([
    ['safetensors', WEIGHTS, 'unsupported'],
    ['tokenizer', 'tokenizer.json', 'unsupported'],
  ])('is unsupported without a %s', async (_, file, reason) => {
    hub.files.delete(file);
    await expect(fetchIt()).rejects.toMatchObject({ reason });
  });

  it('is damaged where its index names what it lacks', async () => {
    await offer({ shards: 2 });
    hub.files.delete('model-2-of-2.safetensors');
    await expect(fetchIt()).rejects.toMatchObject({ reason: 'damaged' });
  });

  it('is unreachable behind a server that is no hub', async () => {
    answer('', sendInstead(Buffer.from('<html>Please log in</html>')));
    await expect(fetchIt()).rejects.toMatchObject({ reason: 'unreachable' });
  });
});

describe('the name of a model', () => {
  const bundledFolder = join(root, 'bundled');
  const sources = () => ({ bundledFolder, hub: { folder, endpoint: hub.url, clock: hastyClock } });
  mkdirSync(join(bundledFolder, 'whisper-base'), { recursive: true });
  mkdirSync(join(bundledFolder, 'silero-vad'));
  writeFileSync(join(bundledFolder, 'README.md'), '');

  it.each([
    ['owner/name', { owner: 'owner', name: 'name', revision: 'main' }],
    ['openai/whisper-large-v3.5', { owner: 'openai', name: 'whisper-large-v3.5', revision: 'main' }],
    ['o/n@v1.0', { owner: 'o', name: 'n', revision: 'v1.0' }],
    ['o/n@refs/pr/3', { owner: 'o', name: 'n', revision: 'refs/pr/3' }],
    ['name', null],
    ['a/b/c', null],
    ['../b', null],
    ['a/..', null],
    ['a/b@../c', null],
    ['./b', null],
    ['/a/b', null],
    ['a/b?x', null],
    ['', null],
  ])('%j is read as %j', (text, id) => {
    expect(parseHubId(text)).toEqual(id);
  });

  it('means a bundled model first, then a folder, then the hub', async () => {
    expect(await resolveModel('whisper-base', sources())).toBe(join(bundledFolder, 'whisper-base'));
    expect(await resolveModel(bundledFolder, sources())).toBe(bundledFolder);
    expect(await resolveModel('someone/whisper-tiny', sources())).toBe(
      join(folder, 'someone', 'whisper-tiny'),
    );
  });

  it.each(['whisper-huge', 'silero-vad', './nowhere', '/nowhere/at/all'])(
    'is missing where it names nothing: %s',
    async (named) => {
      await expect(resolveModel(named, sources())).rejects.toMatchObject({
        reason: 'missing',
        message: expect.stringMatching(/bundled whisper-base.*folder/),
      });
      expect(hub.requests).toEqual([]);
    },
  );

  it('comes with the alternatives where the hub is out of reach', async () => {
    await hub.close();
    await expect(resolveModel('someone/whisper-tiny', sources())).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringMatching(/out of reach.*bundled whisper-base.*folder/),
    });
  });
});
