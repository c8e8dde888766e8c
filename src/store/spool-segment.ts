/** A file of the spool: written at its end only, emptied or deleted as a whole. */
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The name of a new file is on disk only when its folder is (fsync(2)). */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export class SpoolSegment {
  /** How many of its lines still wait to be drained. */
  waiting = 0;
  readonly #path: string;
  readonly #file: FileHandle;
  #bytes: number;
  #isTorn = false;

  private constructor(path: string, file: FileHandle, bytes: number) {
    this.#path = path;
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Makes a new file, for its owner's eyes only. */
  static async create(path: string): Promise<SpoolSegment> {
    const file = await open(path, 'wx+', 0o600);
    try {
      await syncFolder(dirname(path));
      return new SpoolSegment(path, file, 0);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Opens a file that is there, with all that is in it. */
  static async open(path: string): Promise<{ segment: SpoolSegment; content: Buffer }> {
    const file = await open(path, 'r+');
    try {
      const content = await file.readFile();
      return { segment: new SpoolSegment(path, file, content.length), content };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** How long it is. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Writes at the end; resolves once it is on disk. Where that fails, the segment is as it was. */
  async append(bytes: Buffer): Promise<void> {
    // Where the last failure could not be undone then, it has to be now: nothing torn may come before a line.
    if (this.#isTorn) await this.truncate(this.#bytes);
    this.#isTorn = true;
    try {
      for (let at = 0; at < bytes.length; )
        at += (await this.#file.write(bytes, at, bytes.length - at, this.#bytes + at)).bytesWritten;
      await this.#file.datasync();
    } catch (error) {
      await this.truncate(this.#bytes).catch(() => {});
      throw error;
    }
    this.#isTorn = false;
    this.#bytes += bytes.length;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#file.read(bytes, at, length - at, offset + at);
      // Shorter than it was: what is missing reads as damage.
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes;
  }

  async truncate(bytes: number): Promise<void> {
    await this.#file.truncate(bytes);
    this.#bytes = bytes;
    this.#isTorn = false;
  }

  async delete(): Promise<void> {
    await unlink(this.#path);
    await this.#file.close();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
