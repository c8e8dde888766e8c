/**
 * How much of a PostgreSQL the gateways use: what one speaker costs it, and how many of such steps it does a second.
 * `--help` lists the options.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DurableDraft } from '../../src/domain/event.ts';
import { DEFAULT_OPTIONS } from '../../src/domain/options.ts';
import { systemClock } from '../../src/flow/clock.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { freshPostgres } from '../../test/support/databases.ts';
import { commandOf, whole } from '../arguments.ts';
import { describeMachine } from '../machine.ts';
import { between, DOCS } from '../report/document.ts';
import { headingOf } from '../report/heading.ts';
import { reportOf, type Step } from './report.ts';

const USAGE = `npm run bench:store -- [options]

Measures what a PostgreSQL does of the gateway's work, on a database of its own that is dropped afterwards
(TEST_DATABASE_URL names the server), and writes its section of docs/scale.md.

  --seconds <n>   for each kind of step (10)
  --sessions <n>  that are written to at a time (64)
  --print         print only`;

const NODE = 'bench';
const CLAIM_MS = 15_000;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '10' },
      sessions: { type: 'string', default: '64' },
      print: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const seconds = whole('--seconds', values.seconds);
  const sessions = whole('--sessions', values.sessions);
  const database = await freshPostgres();
  const store = await openStore({ databaseUrl: database.url, dataDir: '', clock: systemClock });
  try {
    const steps = await measure(store, sessions, seconds);
    const machine = describeMachine(new Date());
    const command = commandOf('bench:store', args);
    const report = [headingOf(machine, command), reportOf(steps, sessions)].join('\n\n');
    console.log(report);
    if (values.print) return;
    const file = join(DOCS, 'scale.md');
    await writeFile(file, between(await readFile(file, 'utf8'), report, 'store'));
  } finally {
    await store.close();
    await database.drop();
  }
}

/** A session that is claimed and written to by one writer. */
interface Written {
  readonly id: string;
  readonly fence: number;
  seq: number;
}

async function measure(store: Store, count: number, seconds: number): Promise<Step[]> {
  const sessions = await Promise.all(Array.from({ length: count }, (_, at) => begin(store, at)));
  const each = async (
    name: string,
    perSpeakerSecond: number,
    act: (session: Written) => Promise<unknown>,
  ) => {
    const untilMs = performance.now() + 1000 * seconds;
    let done = 0;
    await Promise.all(
      sessions.map(async (session) => {
        while (performance.now() < untilMs) {
          await act(session);
          done++;
        }
      }),
    );
    console.error(`bench:store: ${name}`);
    return { name, perSpeakerSecond, perSecond: done / seconds };
  };
  const append = (session: Written, draft: DurableDraft) =>
    store.log.append(session.id, [draft], { fence: session.fence, afterSeq: session.seq++ });
  return [
    await each('a final is stored', 1 / 5, (session) => append(session, finalAt(session.seq))),
    await each('16 claims are renewed and their progress stored', 1 / 5 / 16, () =>
      store.sessions.renew(NODE, systemClock.now() + CLAIM_MS, someOf(sessions)),
    ),
    await each('a page of a log is read', 0, ({ id }) => store.log.read(id, 0, 200)),
    await each('a page of the feed is read', 0, () => store.log.feed('bench', '0', 200)),
  ];
}

async function begin(store: Store, at: number): Promise<Written> {
  const id = `ses_bench_${at}`;
  const session = { id, tenantId: 'bench', source: 'live', options: DEFAULT_OPTIONS, model: 'm' } as const;
  await store.sessions.create({ ...session, durationMs: null });
  const { fence } = (await store.sessions.claim(id, NODE, systemClock.now() + CLAIM_MS))!;
  const { audio } = DEFAULT_OPTIONS;
  await store.log.append(id, [{ type: 'session.started', audio, language: 'auto', model: 'm' }], {
    fence,
    afterSeq: 0,
  });
  return { id, fence, seq: 1 };
}

/** A node's sessions: sixteen neighbours. */
function someOf(sessions: readonly Written[]) {
  const from = 16 * Math.floor(Math.random() * (sessions.length / 16));
  return sessions
    .slice(from, from + 16)
    .map(({ id, seq }) => ({ id, processedMs: seq * 5000, durationMs: seq * 5000 }));
}

const finalAt = (seq: number): DurableDraft => ({
  type: 'transcript.final',
  utteranceId: `utt_${seq}`,
  startMs: seq * 5000,
  endMs: seq * 5000 + 4000,
  text: 'He was not an ill-disposed young man, unless to be rather cold hearted is to be ill-disposed.',
  language: 'en',
  confidence: 0.93,
});

await main(process.argv.slice(2));
