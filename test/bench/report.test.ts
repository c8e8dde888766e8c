/** The report of the bench: what it shows, what it keeps, what it does not tell. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineMeasures } from '../../bench/engines/measure.ts';
import type { LiveRun } from '../../bench/live/speakers.ts';
import { summarise } from '../../bench/measure/statistics.ts';
import { parseOptions } from '../../bench/options.ts';
import { DOCS, overview, withMeasured } from '../../bench/report/document.ts';
import { goalTable } from '../../bench/report/goal.ts';
import { goalsOf } from '../../bench/report/goals.ts';
import { svgOf } from '../../bench/report/plot.ts';
import { plotsOf } from '../../bench/report/plots.ts';
import { reportOf } from '../../bench/report/report.ts';
import type { Results } from '../../bench/results.ts';

const live = (speakers: number, finalMs: readonly number[]): LiveRun => ({
  speakers,
  firstPartialMs: summarise([400, 500]),
  finalMs: summarise(finalMs),
  partialsPerFinal: summarise([3, 5]),
  partialAgeMs: summarise([100]),
  wordErrorRate: 0.05,
  wordErrors: { errors: 5, referenceWords: 100 },
  editsPerFinalWord: 0.25,
  invented: 0,
  cpuPerAudioSecond: 0.2,
  loopDelayP99Ms: 4,
  otherCores: 0.05,
  sentLateP99Ms: 2,
});
const engine = (name: string, partialsPerSecond: number): EngineMeasures => ({
  engine: name,
  clipMs: new Map([['clip', 100]]),
  wordErrorRate: 0,
  audioPerSecond: 30,
  partialsPerSecond,
  otherCores: 0.05,
  windows: [
    { seconds: 1, ms: 20, cpuMs: 20 },
    { seconds: 5, ms: 60, cpuMs: 60 },
  ],
});
const single = live(1, [700, 1100]);
const results: Results = {
  machine: {
    cpu: 'A processor',
    cores: 2,
    memoryGb: 8,
    node: 'v20.20.2',
    platform: 'linux x64',
    commit: 'abc1234',
    date: '2026-01-02',
    loadBefore: 0.1,
  },
  options: { command: 'npm run bench', runs: 1, speakersMs: 30_000, seed: 1 },
  single: { ...single, byClip: new Map([['clip', single]]), misheard: [] },
  levels: [single, live(2, [900, 1600])],
  stoppedBecause: 'With 2, finals came too late.',
  recording: {
    audioSeconds: 150,
    seconds: 5,
    wordErrorRate: 0.02,
    cpuPerAudioSecond: 0.06,
    otherCores: 0.05,
  },
  peakRssMb: 900,
  engines: [engine('Earshot', 20), engine('another', 2)],
  leftOut: ['A third was not asked for.'],
};

describe('the report', () => {
  const report = reportOf(results);

  it('says what was run, where, and on what', () => {
    for (const fact of ['`npm run bench`', '2026-01-02, abc1234', 'A processor, 2 cores', 'v20.20.2'])
      expect(report).toContain(fact);
  });

  it('puts goals beside what was measured', () => {
    const goals = goalTable(goalsOf(results));
    expect(goals).toMatch(/partials before a final, the fewest \| ≥ 2 \| 3 \| reached/);
    expect(goals).toMatch(/final after speech ends, p95.*\| ≤ 650 ms \| 1,080 ms \| \*\*missed/);
  });

  it('compares the engines', () => {
    expect(report).toMatch(/\| another \|.*\| 10 × \| 0.05 \|/);
    expect(report).toContain('A third was not asked for.');
  });

  it('has tables whose rows are as long as their heads', () => {
    const tables = report.split('\n\n').filter((part) => part.startsWith('|'));
    expect(tables.length).toBe(4);
    for (const table of tables)
      expect(new Set(table.split('\n').map((row) => row.split('|').length)).size).toBe(1);
  });

  it('says that the machine was busy', () => {
    const busy = { ...results, recording: { ...results.recording, otherCores: 0.8 } };
    expect(report).not.toContain('busy');
    expect(reportOf(busy)).toMatch(/up to 0.80 cores.*busy/);
  });
});

describe('a goal', () => {
  const verdicts = (given: Results) =>
    new Map(goalsOf(given).map(({ what, reached }) => [what, reached] as const));
  const verdictOn = (words: string, given: Results) =>
    [...verdicts(given)].find(([what]) => what.includes(words))?.[1];
  const withSingle = (measures: Partial<Results['single']>) =>
    ({ ...results, single: { ...results.single, ...measures } }) as Results;

  it('is reached, missed, or not measured', () => {
    expect(verdictOn('first partial after speech begins, p50', results)).toBe(true);
    expect(verdictOn('first partial', withSingle({ firstPartialMs: summarise([1300]) }))).toBe(false);
    expect(verdictOn('first partial', withSingle({ firstPartialMs: null }))).toBeNull();
    expect(verdictOn('partials before a final', withSingle({ partialsPerFinal: summarise([1, 9]) }))).toBe(
      false,
    );
    // Two levels of 5 % beside it, the recording at 2 %.
    const few = { errors: 0, referenceWords: 400 };
    expect(verdictOn('above that of the recording', withSingle({}))).toBe(false);
    expect(verdictOn('above that of the recording', withSingle({ wordErrors: few }))).toBe(true);
  });

  it('counts the speakers who were served in time', () => {
    const levels = [live(4, [900]), live(16, [950]), live(32, [1600])];
    expect(verdictOn('speakers at once', { ...results, levels })).toBe(true);
    expect(
      verdictOn('speakers at once', { ...results, levels: levels.filter((run) => run.speakers !== 16) }),
    ).toBe(false);
  });

  it('beside another engine is there where that was asked for', () => {
    expect(verdictOn('stock pipeline', results)).toBeUndefined();
    const engines = [
      engine('Earshot', 40),
      engine('transformers.js q8', 2),
      engine('faster-whisper int8', 4),
    ];
    expect(verdictOn('growing utterance, against the stock', { ...results, engines })).toBe(true);
    expect(verdictOn('against faster-whisper', { ...results, engines })).toBe(false);
  });
});

describe('the document', () => {
  const before = 'Words.\n\n<!-- measured: begin -->\nold\n<!-- measured: end -->\n\nMore words.\n';

  it('keeps what people wrote, and replaces what was measured', () => {
    const after = withMeasured(before, '\nnew\n', 'measured');
    expect(after).toBe(before.replace('old', 'new'));
    expect(withMeasured(after, 'new', 'measured')).toBe(after);
  });

  it.each([
    'no marks',
    '<!-- measured: begin --> only',
    '<!-- measured: end --><!-- measured: begin -->',
    before + before,
  ])('without one pair of marks is refused (%#)', (document) => {
    expect(() => withMeasured(document, 'new', 'measured')).toThrow(/needs one/);
  });
});

describe('the table of all goals', () => {
  const by = { command: 'npm run bench', date: '2026-01-02', commit: 'abc1234', cpu: 'A processor' };
  const goal = { what: 'speed', goal: '≥ 2', measured: '1', reached: false };

  it('is in the order of the document and names where each is from', () => {
    const text = overview({
      soak: { ...by, command: 'npm run bench:soak', goals: [{ ...goal, what: 'memory', reached: null }] },
      measured: { ...by, goals: [goal] },
    });
    expect(text).toMatch(
      /\| speed \| ≥ 2 \| 1 \| \*\*missed\*\* \| 1 \|\n\| memory .* \*\*not measured\*\* \| 2 \|/,
    );
    expect(text).toContain('2. `npm run bench:soak`, 2026-01-02, commit abc1234, A processor');
  });

  it('is the one in docs/performance.md', async () => {
    const docs = (name: string) => readFile(join(DOCS, name), 'utf8');
    const all = JSON.parse(await docs('performance.json'));
    const document = await docs('performance.md');
    expect(withMeasured(document, overview(all), 'goals')).toBe(document);
  });
});

describe('a plot', () => {
  it('is drawn for delays and for costs', () => {
    const plots = plotsOf(results);
    expect([...plots.keys()]).toEqual(['performance-delay.svg', 'performance-cost.svg']);
    for (const svg of plots.values()) {
      expect(svg).toMatch(/^<svg [^>]*xmlns/);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
    }
  });

  it('has a line for each series and a point for each value, larger ones higher', () => {
    const svg = svgOf({
      title: 'a < b',
      xLabel: 'x',
      yLabel: 'y',
      xScale: 'log2',
      yScale: 'linear',
      series: [
        {
          name: 'one',
          points: [
            { x: 1, y: 10 },
            { x: 4, y: 30 },
          ],
        },
      ],
    });
    expect(svg.match(/<polyline/g)).toHaveLength(1);
    const heights = [...svg.matchAll(/<circle cx="[\d.]+" cy="([\d.]+)"/g)].map((match) => Number(match[1]));
    expect(heights[0]).toBeGreaterThan(heights[1]!);
    expect(svg).toContain('a &lt; b');
  });

  it('without points is refused', () => {
    const empty = { title: '', xLabel: '', yLabel: '', xScale: 'linear', yScale: 'linear' } as const;
    expect(() => svgOf({ ...empty, series: [] })).toThrow(RangeError);
  });
});

describe('the options', () => {
  it('show the command without the paths of this machine', () => {
    const args = ['--stock', '/somewhere/on/this/disk', '--runs', '3'];
    expect(parseOptions(args)).toMatchObject({ runs: 3, stock: '/somewhere/on/this/disk' });
    expect(parseOptions(args).command).toBe('npm run bench -- --runs 3 --stock <folder>');
    expect(parseOptions([]).command).toBe('npm run bench');
  });

  it('sort the numbers of speakers', () => {
    expect(parseOptions(['--speakers', '4,1,2']).speakers).toEqual([1, 2, 4]);
  });

  it.each([
    [['--runs', 'many'], /--runs/],
    [['--speakers', '1,0'], /--speakers/],
    [['--faster-whisper', 'python3'], /go together/],
    [['--nonsense'], /nonsense/],
  ])('%j are refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
