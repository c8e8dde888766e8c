/** A disk of its own that is soon full: a file system in memory, which takes the rights of an administrator. */
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const BLOCK = Buffer.alloc(64 * 1024);

export class SmallDisk {
  readonly path: string;
  readonly #filler: string;

  private constructor(path: string) {
    this.path = path;
    this.#filler = join(path, 'filler');
  }

  /** @throws Error where this process may not mount file systems. */
  static async mount(sizeMib: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'earshot-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMib}m,mode=777`, 'tmpfs', path]);
    } catch (error) {
      await rmdir(path);
      throw error;
    }
    return new SmallDisk(path);
  }

  /** Whether this process may have one at all. */
  static async isAllowed(): Promise<boolean> {
    try {
      await (await SmallDisk.mount(1)).unmount();
      return true;
    } catch {
      return false;
    }
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    const file = await open(this.#filler, 'a');
    try {
      for (let size = BLOCK.length; size >= 1; )
        await file.write(BLOCK, 0, size).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'ENOSPC') throw error;
          size = Math.floor(size / 2);
        });
    } finally {
      await file.close();
    }
  }

  /** Takes back what {@link fill} took. */
  free(): Promise<void> {
    return rm(this.#filler);
  }

  async unmount(): Promise<void> {
    await run('umount', ['--lazy', this.path]);
    await rmdir(this.path);
  }
}
