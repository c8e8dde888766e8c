/** What a gateway process uses while something happens, from its own `/metrics` and from the kernel. */
import { readFile } from 'node:fs/promises';
import { ownCpuSeconds, watchOthers } from '../machine.ts';

export interface Usage {
  /** Of all its threads. */
  readonly cpuSeconds: number;
  /** By how much the event loop was late, beyond the sampling interval. */
  readonly loopDelayP99Ms: number;
  /** Cores that neither the gateway nor the bench kept busy, on average. */
  readonly otherCores: number;
}

/** `monitorEventLoopDelay` samples every 10 ms and counts that interval in. */
const SAMPLING_MS = 10;

/** Measures what `work` costs the gateway. Reading the metrics starts a new measurement of the event loop. */
export async function metered<T>(url: string, work: () => Promise<T>): Promise<{ result: T; usage: Usage }> {
  const before = await readMetrics(url);
  const benchBefore = ownCpuSeconds();
  const othersUsed = watchOthers();
  const result = await work();
  const after = await readMetrics(url);
  const cpu = (metrics: Map<string, number>) => metric(metrics, 'earshot_process_cpu_seconds_total');
  const cpuSeconds = cpu(after) - cpu(before);
  const loopP99Ms = 1000 * metric(after, 'earshot_nodejs_eventloop_lag_p99_seconds');
  return {
    result,
    usage: {
      cpuSeconds,
      loopDelayP99Ms: Math.max(0, loopP99Ms - SAMPLING_MS),
      otherCores: othersUsed(cpuSeconds + ownCpuSeconds() - benchBefore),
    },
  };
}

async function readMetrics(url: string): Promise<Map<string, number>> {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  return parseMetrics(await response.text());
}

/** Samples without labels, by name, from Prometheus's text format. */
export function parseMetrics(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^([a-z_0-9]+) (\S+)$/gm)].map(([, name, value]) => [name!, Number(value)]),
  );
}

function metric(metrics: Map<string, number>, name: string): number {
  const value = metrics.get(name);
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return value;
}

/** The most memory the process ever held, in MB of 10⁶ bytes; null where the kernel does not say (Linux does). */
export async function peakRssMb(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return peak ? (Number(peak[1]) * 1024) / 1e6 : null;
}
