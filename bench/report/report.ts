/** The measured part of docs/performance.md, as Markdown. */
import { PARTIAL_WINDOW_SECONDS } from '../engines/measure.ts';
import type { LiveMeasures, LiveRun } from '../live/speakers.ts';
import { BUSY_CORES } from '../machine.ts';
import type { Summary } from '../measure/statistics.ts';
import type { Results } from '../results.ts';
import { hundredths, megabytes, ms, NOTHING, perCent, ratio, table, tenths, times } from './format.ts';
import { ENDPOINTING_MS } from './goals.ts';
import { COST_PLOT, DELAY_PLOT } from './plots.ts';

/** Everything between the marks. */
export function reportOf(results: Results): string {
  return [
    machineOf(results),
    '## One speaker',
    singleTable(results),
    '## Several speakers at once',
    levelTable(results),
    `![Delays over the number of speakers](${DELAY_PLOT})`,
    '## Recordings',
    recordingTable(results),
    '## The same audio, the same machine, other engines',
    engineTable(results),
    `![Cost against window length](${COST_PLOT})`,
    ...results.leftOut,
  ].join('\n\n');
}

function machineOf(results: Results): string {
  const { machine, options } = results;
  const rows = [
    ['command', `\`${options.command}\``],
    ['date, commit', `${machine.date}, ${machine.commit ?? 'unknown'}`],
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.platform}`],
    ['Node', machine.node],
    ['other processes', othersOf(results)],
  ];
  return rows.map(([name, value]) => `- ${name}: ${value}`).join('\n');
}

/** The load before and what the busiest part of the run had to share the machine with. */
function othersOf({ machine, single, levels, recording, engines }: Results): string {
  const most = Math.max(...[single, ...levels, recording, ...engines].map(({ otherCores }) => otherCores));
  const found = `load ${hundredths(machine.loadBefore)} before; up to ${hundredths(most)} cores during the run`;
  return most > BUSY_CORES
    ? `${found}: **the machine was busy with something else, and the figures are worse for it**`
    : found;
}

const both = (summary: Summary | null): string =>
  summary ? `${times(summary.p50)} / ${times(summary.p95)}` : NOTHING;

const LIVE_HEAD = [
  'first partial, ms p50 / p95',
  'final, ms p50 / p95',
  'partials a final, least / p50',
  'age of a partial, ms p50 / p95',
  'edits a word',
  'word errors',
];

const liveCells = (live: LiveMeasures): string[] => [
  both(live.firstPartialMs),
  both(live.finalMs),
  live.partialsPerFinal
    ? `${times(live.partialsPerFinal.min)} / ${times(live.partialsPerFinal.p50)}`
    : NOTHING,
  both(live.partialAgeMs),
  hundredths(live.editsPerFinalWord),
  perCent(live.wordErrorRate),
];

function singleTable({ single, options, peakRssMb }: Results): string {
  const rows = [...single.byClip].map(([name, live]) => [name, ...liveCells(live)]);
  const { finalMs } = single;
  const afterEndpoint = finalMs
    ? `Of the time to a final, ${ENDPOINTING_MS} ms are endpointing; what comes after it is ${ms(finalMs.p50 - ENDPOINTING_MS)} (p50) and ${ms(finalMs.p95 - ENDPOINTING_MS)} (p95).`
    : 'There was no final.';
  const finals = single.finalMs?.count ?? 0;
  return [
    table(['clip', ...LIVE_HEAD], [...rows, ['**all**', ...liveCells(single)]]),
    `${finals} finals: each clip ${options.runs} times, in sessions of their own, one after the other. ${afterEndpoint}`,
    `The gateway used ${hundredths(single.cpuPerAudioSecond)} CPU-seconds a second of audio; its event loop was late by ${ms(single.loopDelayP99Ms)} (p99). The most memory it held in the whole run: ${peakRssMb === null ? 'not known on this system' : megabytes(peakRssMb)}. Finals where nobody spoke: ${single.invented}. The bench itself sent its audio late by ${ms(single.sentLateP99Ms)} (p99); other processes took ${hundredths(single.otherCores)} cores.`,
    single.misheard
      .map(({ clip, heard, times: count }) => `- ${clip}, heard ${times(count)} × as: “${heard}”`)
      .join('\n'),
  ]
    .filter(Boolean)
    .join('\n\n');
}

function levelTable({ levels, options, stoppedBecause }: Results): string {
  const row = (run: LiveRun) => [
    times(run.speakers),
    ...liveCells(run),
    hundredths(run.cpuPerAudioSecond),
    ms(run.loopDelayP99Ms),
    ms(run.sentLateP99Ms),
    hundredths(run.otherCores),
  ];
  const head = [
    'speakers',
    ...LIVE_HEAD,
    'CPU-s an audio second',
    'event loop late, p99',
    'bench late, p99',
    'others, cores',
  ];
  return [
    table(head, levels.map(row)),
    `Each speaks for ${Math.round(options.speakersMs / 1000)} s with pauses of a second. ${stoppedBecause ?? 'No more were asked for.'}`,
  ].join('\n\n');
}

function recordingTable({ recording }: Results): string {
  return table(
    ['recording', 'took', 'audio seconds a second', 'CPU-s an audio second', 'word errors'],
    [
      [
        `${Math.round(recording.audioSeconds)} s, uploaded as WAV`,
        `${tenths(recording.seconds)} s`,
        tenths(recording.audioSeconds / recording.seconds),
        hundredths(recording.cpuPerAudioSecond),
        perCent(recording.wordErrorRate),
      ],
    ],
  );
}

function engineTable({ engines }: Results): string {
  const [ours] = engines;
  const clips = [...(ours?.clipMs.keys() ?? [])];
  const head = [
    'engine',
    ...clips.map((clip) => `${clip}, ms`),
    'word errors',
    'audio seconds a second',
    `hypotheses in a second, utterances of ${PARTIAL_WINDOW_SECONDS} s`,
    'Earshot does as many',
    'others, cores',
  ];
  const rows = engines.map((engine) => [
    engine.engine,
    ...clips.map((clip) => times(engine.clipMs.get(clip)!)),
    perCent(engine.wordErrorRate),
    tenths(engine.audioPerSecond),
    tenths(engine.partialsPerSecond),
    engine === ours ? NOTHING : ratio(ours!.partialsPerSecond / engine.partialsPerSecond),
    hundredths(engine.otherCores),
  ]);
  return table(head, rows);
}
