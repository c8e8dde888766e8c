/** One of the processes that are timed side by side, one for each core: gets a plan and an effort, gives the costs. */
import type { ModelPlan } from '../../src/whisper/model.ts';
import { ownCpuSeconds } from '../machine.ts';
import { type Costs, measureCosts, type TimingEffort } from './costs.ts';

export interface MeasureRequest {
  readonly plan: ModelPlan;
  readonly effort: TimingEffort;
}

export type MeasureReport =
  | { readonly kind: 'step'; readonly step: string }
  | { readonly kind: 'costs'; readonly costs: Costs; readonly cpuSeconds: number }
  | { readonly kind: 'failed'; readonly message: string };

process.once('message', async ({ plan, effort }: MeasureRequest) => {
  const report = (message: MeasureReport) => process.send!(message);
  try {
    const costs = await measureCosts(plan, effort, (step) => report({ kind: 'step', step }));
    report({ kind: 'costs', costs, cpuSeconds: ownCpuSeconds() });
  } catch (error) {
    report({ kind: 'failed', message: String(error) });
  }
  process.disconnect();
});
