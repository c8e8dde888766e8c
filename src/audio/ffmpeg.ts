/**
 * Everything the decoders of our own do not read goes through the system's `ffmpeg`, in a child process: one named
 * demuxer, no protocol but the pipe or the one file, one thread, bounded allocations, an empty environment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { SAMPLE_RATE_HZ } from '../domain/time.ts';
import type { Clock } from '../flow/clock.ts';
import type { Channel } from './channel.ts';
import type { AudioDecoder } from './decoder.ts';
import { PcmReader } from './pcm.ts';
import { undecodable } from './undecodable.ts';

/** Where ffmpeg is: an absolute path, or a name in the system's own folders. */
export interface FfmpegCommand {
  readonly command: string;
}

export type FfmpegSource = { readonly kind: 'bytes' } | { readonly kind: 'file'; readonly path: string };

/** How long ffmpeg may neither take in nor give out anything while it has something to do. */
const STALL_MS = 30_000;
const MAX_ALLOCATION_BYTES = 64 * 1024 * 1024;
/** What a live container is looked at before the first sound comes out. */
const PROBE_BYTES = 65_536;
/** What is kept of its complaints, for the operator. */
const MAX_COMPLAINT_CHARS = 2_000;
/** Output handed on at a time: half a second. */
const READ_BYTES = SAMPLE_RATE_HZ * 2;

function argumentsFor(source: FfmpegSource, demuxer: string, channel: Channel): string[] {
  const isFile = source.kind === 'file';
  return [
    ...['-nostdin', '-hide_banner', '-loglevel', 'error', '-threads', '1'],
    ...['-max_alloc', String(MAX_ALLOCATION_BYTES)],
    ...['-protocol_whitelist', isFile ? 'file' : 'pipe', '-f', demuxer],
    ...(isFile ? [] : ['-probesize', String(PROBE_BYTES)]),
    ...['-i', isFile ? `file:${source.path}` : 'pipe:0'],
    ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-map_metadata', '-1'],
    ...(channel === null ? ['-ac', '1'] : ['-af', `channelmap=${channel}-0:mono`]),
    ...['-ar', String(SAMPLE_RATE_HZ), '-c:a', 'pcm_s16le', '-f', 's16le', '-flush_packets', '1'],
    'pipe:1',
  ];
}

export class FfmpegDecoder implements AudioDecoder {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #demuxer: string;
  readonly #reader = new PcmReader({ sampleType: 's16le', channels: 1 });
  #complaint = '';
  #exit: { readonly code: number | null } | { readonly error: Error } | null = null;
  #wake = () => {};

  /** @param ffmpeg Null where this machine has none: every use then fails, saying what to install. */
  constructor(
    ffmpeg: FfmpegCommand | null,
    source: FfmpegSource,
    demuxer: string,
    clock: Clock,
    channel: Channel = null,
  ) {
    if (!ffmpeg) throw missing(demuxer);
    this.#clock = clock;
    this.#demuxer = demuxer;
    this.#child = spawn(ffmpeg.command, argumentsFor(source, demuxer, channel), {
      stdio: [source.kind === 'file' ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      // It has no business with our keys.
      env: {},
    });
    const { stdin, stdout, stderr } = this.#child;
    const wake = () => this.#wake();
    this.#child.on('error', (error) => {
      this.#exit = { error };
      wake();
    });
    this.#child.on('close', (code) => {
      this.#exit ??= { code };
      wake();
    });
    // It may stop reading whenever it has seen enough.
    stdin?.on('error', wake).on('drain', wake);
    stdout?.on('readable', wake).on('end', wake).on('error', wake);
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(0, MAX_COMPLAINT_CHARS);
    });
  }

  async *decode(bytes: Uint8Array | null): AsyncGenerator<Float32Array, void, undefined> {
    const { stdin } = this.#child;
    if (bytes === null) stdin?.end();
    else if (stdin?.writable) stdin.write(bytes);
    while (true) {
      const output = this.#read();
      if (output) yield this.#reader.push(output);
      else if (this.#exit) return this.#judge(this.#exit);
      else if (bytes !== null && !stdin?.writableNeedDrain) return;
      else await this.#next();
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    for (const stream of child.stdio) stream?.destroy();
    if (this.#exit || child.exitCode !== null || child.signalCode !== null) return;
    // Not `close`: that waits for somebody to read what it wrote last.
    const gone = new Promise((resolve) => child.once('exit', resolve).once('error', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  #read(): Uint8Array | null {
    const stdout = this.#child.stdout;
    if (!stdout || stdout.destroyed) return null;
    // Reading nothing is what tells a stream at its end to end.
    return stdout.read(Math.min(stdout.readableLength, READ_BYTES) || undefined) as Uint8Array | null;
  }

  /** Waits until it took in or gave out something, or ended. */
  async #next(): Promise<void> {
    const moved = new Promise<'moved'>((resolve) => {
      this.#wake = () => resolve('moved');
    });
    let cancel = () => {};
    const stalled = new Promise<'stalled'>((resolve) => {
      cancel = this.#clock.after(STALL_MS, () => resolve('stalled'));
    });
    const outcome = await Promise.race([moved, stalled]);
    cancel();
    if (outcome === 'stalled') {
      await this.close();
      throw undecodable('Decoding the audio took too long.');
    }
  }

  #judge(exit: { code: number | null } | { error: Error }): void {
    if ('error' in exit) throw missing(this.#demuxer, exit.error);
    // It may end well before its input does: what follows the audio is of no interest.
    if (exit.code !== 0)
      throw undecodable('The audio is damaged, or of a kind that cannot be decoded.', this.#complaint);
  }
}

function missing(what: string, cause?: unknown): Error {
  return undecodable(
    `Audio of this kind (${what}) needs ffmpeg, which is not installed on the server. ` +
      'Install it there, or send webm or ogg with Opus, mp3, flac or wav.',
    cause,
  );
}
