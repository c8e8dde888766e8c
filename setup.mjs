/**
 * Makes a checkout ready to run, with nothing but Node: installs when the lock file changed, builds what is
 * stale, and does nothing, quickly, when there is nothing to do. Run by `prestart` and `pretest`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const MIN_NODE = [20, 19];

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
  console.error(
    `Earshot needs Node ${MIN_NODE.join('.')} or newer; this is ${process.version}.\n` +
      'Install a current Node from https://nodejs.org, then run the same command again.',
  );
  process.exit(1);
}

/** Every file below a folder whose name does not begin with a dot, sorted. */
function filesBelow(folder) {
  if (statSync(folder).isFile()) return [folder];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesBelow(join(folder, entry.name)));
}

/** A fingerprint of the sources' contents: time stamps lie after a checkout. */
function fingerprint(sources) {
  const hash = createHash('sha256').update(process.version);
  for (const source of sources)
    for (const file of existsSync(join(root, source)) ? filesBelow(join(root, source)) : [])
      hash.update(file.slice(root.length)).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

/** Runs `work` unless its sources are as they were when it last succeeded and what it made is still there. */
function step(name, { sources, makes, work }) {
  const stampFile = join(root, 'node_modules', '.earshot', name);
  const now = fingerprint(sources);
  const before = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : null;
  if (now === before && existsSync(join(root, makes))) return;
  console.error(`earshot: ${name} …`);
  const started = performance.now();
  work();
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, now);
  console.error(`earshot: ${name}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function run(command, args, env = {}) {
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } });
  } catch {
    console.error(`earshot: \`${command} ${args.join(' ')}\` failed; its output is above.`);
    process.exit(1);
  }
}

const script = (packageName, file) => join(root, 'node_modules', packageName, file);

step('installing packages', {
  sources: ['package-lock.json'],
  makes: 'node_modules/hono',
  // onnxruntime's own post-install step fetches GPU libraries that are not used here.
  work: () =>
    run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
      ONNXRUNTIME_NODE_INSTALL: 'skip',
      ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip',
    }),
});
step('building the gateway', {
  sources: ['package-lock.json', 'tsconfig.json', 'src'],
  makes: 'dist/main.js',
  work: () => run(process.execPath, [script('typescript', 'bin/tsc')]),
});
step('building the page', {
  sources: ['package-lock.json', 'web-demo', 'src/client', 'src/domain'],
  makes: 'dist/web-demo/index.html',
  work: () =>
    run(process.execPath, [script('vite', 'bin/vite.js'), 'build', 'web-demo', '--logLevel', 'warn']),
});
