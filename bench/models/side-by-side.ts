/** Times a model on all cores at once, as a gateway under load uses it: cores share their memory and its speed. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ModelPlan } from '../../src/whisper/model.ts';
import { watchOthers } from '../machine.ts';
import type { Costs, TimingEffort } from './costs.ts';
import type { MeasureReport, MeasureRequest } from './measured-process.ts';

const ENTRY = fileURLToPath(new URL('./measured-process.ts', import.meta.url));

export interface SideBySide {
  /** The mean of what the processes say. */
  readonly costs: Costs;
  /** What others took of the machine meanwhile, in cores. */
  readonly othersCores: number;
}

/** @param onStep Told what is timed next. */
export async function measureSideBySide(
  plan: ModelPlan,
  effort: TimingEffort,
  cores: number,
  onStep: (step: string) => void,
): Promise<SideBySide> {
  const othersSince = watchOthers();
  const all = await Promise.all(
    Array.from({ length: cores }, (_, at) =>
      measureInProcess({ plan, effort }, at === 0 ? onStep : () => {}),
    ),
  );
  const othersCores = othersSince(all.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0));
  const names = Object.keys(all[0]!.costs) as (keyof Costs)[];
  const mean = (name: keyof Costs) => all.reduce((sum, { costs }) => sum + costs[name], 0) / all.length;
  const costs = Object.fromEntries(names.map((name) => [name, mean(name)])) as unknown as Costs;
  return { costs, othersCores };
}

type Measured = Extract<MeasureReport, { kind: 'costs' }>;

async function measureInProcess(request: MeasureRequest, onStep: (step: string) => void): Promise<Measured> {
  const child = fork(ENTRY, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const closed = once(child, 'close');
  const answer = new Promise<Measured>((resolve, reject) => {
    child.on('message', (report: MeasureReport) => {
      if (report.kind === 'step') onStep(report.step);
      else if (report.kind === 'costs') resolve(report);
      else reject(new Error(report.message));
    });
    // Whoever runs out of memory says nothing more.
    child.once('close', (_, signal) => reject(new Error(`a process ended before its time (${signal})`)));
  });
  child.send(request);
  try {
    return await answer;
  } finally {
    child.kill();
    await closed;
  }
}
