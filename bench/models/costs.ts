/** What a model costs one core: each kind of pass, timed on its own. */
import { taskTokens } from '../../src/whisper/decoding.ts';
import { EncoderMemory } from '../../src/whisper/encoder-memory.ts';
import { type Effort, framesOf } from '../../src/whisper/encoder-window.ts';
import { memoryNames } from '../../src/whisper/graph/contract.ts';
import type { ModelPlan } from '../../src/whisper/model.ts';
import { type EncodedWindow, openSessions } from '../../src/whisper/sessions.ts';
import { ownCpuSeconds } from '../machine.ts';

/** An utterance as it is spoken, and a recording's window. */
export const SHORT_SECONDS = 5;
export const LONG_SECONDS = 28;
/** What an utterance of {@link SHORT_SECONDS} has been heard as before: the draft that is checked in one pass. */
export const DRAFT_TOKENS = 16;
/** Of a long window: in the middle of what it holds. */
const LONG_POSITION = 60;

const SAMPLE_RATE_HZ = 16_000;

/** Milliseconds of one core: its own time, not the clock's, so that others on the machine hardly matter. */
export interface Costs {
  /** Encoding for a final, and for a window of a recording. */
  readonly encodeShortMs: number;
  readonly encodeLongMs: number;
  /** Encoding for a partial: with the states of half a second before at hand, and with nothing. */
  readonly encodeGrownMs: number;
  readonly encodeAnewMs: number;
  /** Start tokens and a draft, checked in one pass. */
  readonly draftMs: number;
  /** One more token, in a short window and in a long one. */
  readonly tokenMs: number;
  readonly longTokenMs: number;
  /** The most memory that a thread with this model takes. */
  readonly workerBytes: number;
  /** What is kept of an utterance of {@link SHORT_SECONDS} between two partials. */
  readonly keptBytes: number;
}

export interface TimingEffort {
  /** Passes that count, behind one that does not: at least, and at most. */
  readonly passes: readonly [least: number, most: number];
  /** After so long no more than the least are made. */
  readonly budgetMs: number;
}

/**
 * Loads a model on this thread and times it.
 * @param onStep Told what is timed next.
 */
export async function measureCosts(
  plan: ModelPlan,
  effort: TimingEffort,
  onStep: (step: string) => void,
): Promise<Costs> {
  const before = process.memoryUsage().rss;
  const { config, graphs } = plan;
  onStep('loading');
  const sessions = await openSessions(graphs, config);
  const names = memoryNames(config);
  const fresh = () => new EncoderMemory(config, names.length);

  /** As `whisper/model.ts` does it. @param keep Whether `memory` takes the pass in. */
  const encode = async (
    memory: EncoderMemory,
    seconds: number,
    kind: Effort,
    keep = false,
  ): Promise<EncodedWindow> => {
    const window = memory.window(seconds, kind);
    const { from, to } = framesOf(window);
    const mel = memory.features(noise(seconds)).features(to, from);
    const goesOn = kind === 'quick';
    const encoded = await sessions.encode({ mel, window, past: memory.past(window), goesOn });
    if (keep) memory.keep(window, encoded.fresh, seconds);
    return encoded;
  };
  const time = <T>(step: string, pass: () => Promise<T>): Promise<Timed<T>> => {
    onStep(step);
    return timed(pass, effort);
  };

  try {
    const encodeShort = await time('a final', () => encode(fresh(), SHORT_SECONDS, 'thorough'));
    const encodeAnew = await time('a partial', () => encode(fresh(), SHORT_SECONDS, 'quick'));
    const memory = fresh();
    await encode(memory, SHORT_SECONDS - 0.5, 'quick', true);
    const encodeGrown = await time('a partial that goes on', () => encode(memory, SHORT_SECONDS, 'quick'));
    const start = [config.tokens.startOfTranscript, ...taskTokens(config, 'en')];
    const text = (count: number) => Array.from({ length: count }, (_, at) => 1000 + at);
    const feed = (window: EncodedWindow, count: number) => {
      const rows = Array.from({ length: count + 1 }, (_, at) => start.length - 1 + at);
      return window.pass([...start, ...text(count)], 0, rows);
    };
    // A partial's window: its decoder also says where it listens.
    const draft = await time('tokens', () => feed(encodeGrown.last, DRAFT_TOKENS));
    const next = start.length + DRAFT_TOKENS;
    const token = await timed(() => encodeGrown.last.pass(text(1), next, [0]), effort);
    const encodeLong = await time('a recording', () => encode(fresh(), LONG_SECONDS, 'thorough'));
    await feed(encodeLong.last, LONG_POSITION);
    const behind = start.length + LONG_POSITION;
    const longToken = await timed(() => encodeLong.last.pass(text(1), behind, [0]), effort);
    return {
      encodeShortMs: encodeShort.ms,
      encodeLongMs: encodeLong.ms,
      encodeGrownMs: encodeGrown.ms,
      encodeAnewMs: encodeAnew.ms,
      draftMs: draft.ms,
      tokenMs: token.ms,
      longTokenMs: longToken.ms,
      workerBytes: Math.max(0, 1024 * process.resourceUsage().maxRSS - before),
      keptBytes: memory.byteLength,
    };
  } finally {
    await sessions.release();
  }
}

interface Timed<T> {
  /** Of the fastest pass: what makes one slower than another is somebody else on the machine. */
  readonly ms: number;
  /** What the last pass gave. */
  readonly last: T;
}

/** Times several passes, once the first has filled the caches; a pass that takes longer than the budget, once. */
async function timed<T>(pass: () => Promise<T>, effort: TimingEffort): Promise<Timed<T>> {
  const once = async () => {
    const before = ownCpuSeconds();
    const last = await pass();
    return { ms: 1000 * (ownCpuSeconds() - before), last };
  };
  const { ms: firstMs } = await once();
  const [least, most] = firstMs > effort.budgetMs ? [1, 1] : effort.passes;
  const passes = [await once()];
  const spentMs = () => passes.reduce((sum, { ms }) => sum + ms, 0);
  while (passes.length < least || (passes.length < most && spentMs() < effort.budgetMs))
    passes.push(await once());
  return { ms: Math.min(...passes.map(({ ms }) => ms)), last: passes.at(-1)!.last };
}

/** Something that is no silence; what it is makes no difference to speed. */
const noise = (seconds: number): Float32Array =>
  Float32Array.from({ length: seconds * SAMPLE_RATE_HZ }, (_, at) => 0.1 * Math.sin(at * at));
