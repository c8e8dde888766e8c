import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeFolder } from '../../src/store/owner-lock.ts';
import { startOf } from '../../src/store/process-start.ts';
import { freshFolder } from '../support/databases.ts';

let folder: Awaited<ReturnType<typeof freshFolder>>;
beforeEach(async () => {
  folder = await freshFolder();
});
afterEach(() => folder.remove());

const claims = () => readdir(folder.path);

it('makes the folder, and leaves nothing in it when it is given back', async () => {
  const path = join(folder.path, 'new', 'data');
  const release = await takeFolder(path);
  expect(await readdir(path)).toHaveLength(1);
  release();
  expect(await readdir(path)).toEqual([]);
});

it('is not taken twice by one process', async () => {
  const release = await takeFolder(folder.path);
  await expect(takeFolder(folder.path)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  release();
  (await takeFolder(folder.path))();
});

it('takes over from a process that is no more', async () => {
  // Above the highest pid there can be: 2^22, proc(5).
  await writeFile(join(folder.path, 'owner-4194305-1-boot.lock'), '');
  const release = await takeFolder(folder.path);
  expect(await claims()).toEqual([expect.stringContaining(`owner-${process.pid}-`)]);
  release();
});

it.runIf(process.platform === 'linux')('takes over from a process whose pid was used again', async () => {
  await writeFile(join(folder.path, 'owner-1-1-another-boot.lock'), '');
  (await takeFolder(folder.path))();
});

it('keeps away from a process that lives, however old its claim is', async () => {
  const claim = join(folder.path, `owner-${process.ppid}-${startOf(process.ppid)}.lock`);
  await writeFile(claim, '');
  await utimes(claim, 0, 0);
  await expect(takeFolder(folder.path)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`process ${process.ppid}`),
  });
  expect(await claims()).toHaveLength(1);
});
