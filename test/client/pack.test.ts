/** The client as a package of its own: packed, installed where nothing else is, used and compiled against. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KnowingTranscriber } from '../faults/support/knowing-transcriber.ts';
import { type RunningGateway, startGateway } from '../support/gateway.ts';
import { fixture, TRANSCRIPTS } from '../support/speech.ts';

const root = join(import.meta.dirname, '..', '..');
const CLIP = 'austen-0880.wav';

let folder: string;
let transcriber: KnowingTranscriber;
let gateway: RunningGateway;

const run = async (command: string, ...args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: folder })).stdout;
const tsc = (...args: string[]) =>
  run(process.execPath, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...args);
/** Packs a folder into the test's own, and gives the tarball's name. */
const pack = async (what: string): Promise<string> =>
  (await run('npm', 'pack', '--silent', join(root, what))).trim().split('\n').at(-1)!;
const install = (tarball: string) =>
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`);
const installed = () => join(folder, 'node_modules', 'earshot');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-pack-'));
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  transcriber = await KnowingTranscriber.start();
  gateway = await startGateway({ env: transcriber.settings });
  await install(await pack('clients/node'));
});
afterAll(async () => {
  await gateway?.stop();
  await transcriber?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the packed client', () => {
  it('comes alone, with its licence, and imports nothing but itself', async () => {
    const beside = (await readdir(join(folder, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(beside).toEqual(['earshot']);
    const licence = (of: string) => readFile(join(of, 'LICENSE'), 'utf8');
    expect(await licence(installed())).toBe(await licence(root));
    const modules = join(installed(), 'dist', 'client');
    const imports: string[] = [];
    for (const name of (await readdir(modules)).filter((file) => file.endsWith('.js')))
      for (const [, from] of (await readFile(join(modules, name), 'utf8')).matchAll(
        /(?:from |import |import\()'([^'\n]+)'/g,
      ))
        imports.push(from!);
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter((from) => !/^\.\/[a-z-]+\.js$/.test(from))).toEqual([]);
  });

  it('has the worklet where bundlers are told that it is', async () => {
    const where = `console.log(import.meta.resolve('earshot/client/capture-worklet.js'))`;
    const url = await run(process.execPath, '--input-type=module', '--eval', where);
    expect(await readFile(new URL(url.trim()), 'utf8')).toContain("registerProcessor('earshot-capture'");
  });

  it('has the version of the gateway', async () => {
    const versionOf = async (of: string) =>
      (JSON.parse(await readFile(join(of, 'package.json'), 'utf8')) as { version: string }).version;
    expect(await versionOf(installed())).toBe(await versionOf(root));
  });

  it('streams into a gateway, and says what Node 20 lacks', async () => {
    await install(await pack('node_modules/ws'));
    await writeFile(
      join(folder, 'stream.js'),
      `import { readFileSync } from 'node:fs';
       import { Earshot } from 'earshot/client';
       import { WebSocket } from 'ws';
       delete globalThis.WebSocket;
       const url = process.argv[2];
       await new Earshot({ url }).stream().catch((error) => console.log(error.message));
       const stream = await new Earshot({ url, WebSocket }).stream({ language: 'en' });
       await stream.sendAll([readFileSync(process.argv[3]).subarray(44), new Uint8Array(32_000)]);
       stream.end();
       for await (const event of stream) if (event.type === 'transcript.final') console.log(event.text);`,
    );
    const printed = await run(process.execPath, 'stream.js', gateway.url, fixture(CLIP));
    expect(printed).toBe(
      `this runtime has no WebSocket: pass one, e.g. that of the package ws\n${TRANSCRIPTS[CLIP]!.text}\n`,
    );
  });

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types that hold, for %s modules resolved as by %s', async (module, moduleResolution) => {
    await writeFile(
      join(folder, 'typed.ts'),
      `import { Earshot, EarshotError, type Receipt, type SessionEvent, speakInto } from 'earshot/client';
       const client = new Earshot({ url: 'http://127.0.0.1:8080' });
       export async function listen(): Promise<Receipt> {
         const stream = await client.stream({ audio: { encoding: 'mulaw', sampleRateHz: 8000 } });
         await speakInto(stream, { onLevel: ({ rms }) => rms.toFixed(1) });
         for await (const event of stream) told(event);
         return stream.receipt;
       }
       function told(event: SessionEvent): string {
         switch (event.type) {
           case 'transcript.final': return \`\${event.seq} \${event.text} \${event.words?.[0]?.startMs}\`;
           case 'transcript.partial': return event.text.slice(0, event.stableChars);
           case 'session.failed': return new EarshotError(event.error.code, event.error.message).code;
           default: return event.type;
         }
       }
       // @ts-expect-error there is no such option
       export const refused = () => client.stream({ colour: 'red' });
       export const session = client.upload(new Blob([]), {}, { onProgress: ({ sentBytes }) => sentBytes });`,
    );
    const options = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
    const target = ['--target', 'es2023', '--lib', 'es2023,dom', '--types', ''];
    const resolved = ['--module', module, '--moduleResolution', moduleResolution];
    await tsc('--noEmit', '--ignoreConfig', ...options, ...target, ...resolved, 'typed.ts');
  });
});
