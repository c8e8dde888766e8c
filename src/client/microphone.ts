import type { BrowserAudio, BrowserAudioContext, BrowserStream } from './browser-audio.ts';
import { Resampler } from './resampler.ts';

/** Why there is no sound; a page has a sentence for each. */
export type MicrophoneProblem =
  /** The person, the browser or the system said no. */
  | 'denied'
  /** No microphone is connected. */
  | 'no_device'
  /** There is one, but it gives nothing: another program may hold it. */
  | 'busy'
  /** Browsers give no microphone to pages that came over plain HTTP, but for localhost. */
  | 'insecure'
  /** The browser is too old. */
  | 'unsupported'
  /** It was unplugged, or taken away, while it was used. */
  | 'lost'
  /** The worklet's file did not come from its address. */
  | 'not_loaded';

/** Why there is no sound, or no more. */
export class MicrophoneError extends Error {
  readonly problem: MicrophoneProblem;

  constructor(problem: MicrophoneProblem, options: { cause?: unknown } = {}) {
    super(`microphone: ${problem}`, options);
    this.name = 'MicrophoneError';
    this.problem = problem;
  }
}

/** What to do with what is heard, and from which microphone. */
export interface MicrophoneOptions {
  /** 16 kHz mono, in blocks of about 20 ms, each the receiver's to keep. */
  readonly onAudio: (pcm: Int16Array) => void;
  /** How loud the last block was, both 0–1: root mean square and highest peak. */
  readonly onLevel?: ((level: { rms: number; peak: number }) => void) | undefined;
  /** The microphone ended by itself; `stop()` is still to be called. */
  readonly onLost?: ((error: MicrophoneError) => void) | undefined;
  readonly deviceId?: string | undefined;
  /**
   * The browser's own treatment of the sound, all off: recognition does better with what the microphone hears.
   * Chromium's gain control alone changes the level fourfold within a sentence.
   */
  readonly echoCancellation?: boolean | undefined;
  readonly noiseSuppression?: boolean | undefined;
  readonly autoGainControl?: boolean | undefined;
}

/** An open microphone. */
export interface Microphone {
  /** What the system calls it. */
  readonly label: string;
  readonly deviceSampleRateHz: number;
  /** Hands over the last of the sound, then lets go of the device. */
  stop(): Promise<void>;
}

const TARGET_RATE_HZ = 16_000;
const STOP_WITHIN_MS = 500;

/**
 * Opens the microphone, at whatever rate the device has (Firefox and Safari do not let a page choose), and
 * brings the sound to 16 kHz here. To be called from a click or a key: Safari starts no audio otherwise.
 *
 * @param workletUrl Where `capture-worklet` is served.
 * @throws MicrophoneError
 */
export async function captureMicrophone(
  workletUrl: string,
  options: MicrophoneOptions,
  browser: BrowserAudio = globalThis as unknown as BrowserAudio,
): Promise<Microphone> {
  const { AudioContext, AudioWorkletNode } = browser;
  const mediaDevices = browser.navigator?.mediaDevices;
  if (browser.isSecureContext === false) throw new MicrophoneError('insecure');
  if (!mediaDevices || !AudioContext || !AudioWorkletNode) throw new MicrophoneError('unsupported');

  const context = new AudioContext({ latencyHint: 'interactive' });
  let stream: BrowserStream | null = null;
  try {
    const running = context.resume();
    stream = await mediaDevices.getUserMedia({ audio: constraintsOf(options) });
    await running;
    await context.audioWorklet.addModule(workletUrl).catch((cause: unknown) => {
      throw new MicrophoneError('not_loaded', { cause });
    });
  } catch (error) {
    await release(context, stream);
    throw error instanceof MicrophoneError ? error : new MicrophoneError(problemOf(error), { cause: error });
  }

  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, 'earshot-capture', {
    numberOfInputs: 1,
    outputChannelCount: [1],
  });
  const resampler = new Resampler(context.sampleRate, TARGET_RATE_HZ);
  let stopping: Promise<void> | null = null;
  let stopped = () => {};
  node.port.onmessage = ({ data }) => {
    const block = data ?? resampler.flush();
    options.onLevel?.(levelOf(block));
    const pcm = toPcm(data ? resampler.push(data) : block);
    if (pcm.length > 0) options.onAudio(pcm);
    if (!data) stopped();
  };
  source.connect(node);
  // A node that leads nowhere is not run everywhere; this one gives silence.
  node.connect(context.destination);
  const track = stream.getAudioTracks()[0];
  track?.addEventListener('ended', () => {
    if (!stopping) options.onLost?.(new MicrophoneError('lost'));
  });

  // A telephone call, or a page put aside, stops the sound on some systems: it goes on when it may.
  context.addEventListener('statechange', () => {
    if (!stopping && context.state !== 'running') context.resume().catch(() => {});
  });

  return {
    label: track?.label ?? '',
    deviceSampleRateHz: context.sampleRate,
    stop() {
      stopping ??= (async () => {
        await new Promise<void>((resolve) => {
          stopped = resolve;
          node.port.postMessage('stop');
          // A context that the browser has suspended never answers.
          setTimeout(resolve, STOP_WITHIN_MS);
        });
        node.port.onmessage = null;
        source.disconnect();
        node.disconnect();
        await release(context, stream);
      })();
      return stopping;
    },
  };
}

async function release(context: BrowserAudioContext, stream: BrowserStream | null): Promise<void> {
  for (const track of stream?.getAudioTracks() ?? []) track.stop();
  await context.close();
}

function constraintsOf(options: MicrophoneOptions): Record<string, unknown> {
  const { deviceId, echoCancellation = false, noiseSuppression = false, autoGainControl = false } = options;
  return {
    channelCount: 1,
    echoCancellation,
    noiseSuppression,
    autoGainControl,
    ...(deviceId && { deviceId: { exact: deviceId } }),
  };
}

/** The names that Media Capture and Streams gives to what can go wrong. */
function problemOf(error: unknown): MicrophoneProblem {
  switch ((error as { name?: string }).name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no_device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'unsupported';
  }
}

/** −1…1 to 16 bits, little-endian as on every machine a browser runs on. */
export function toPcm(samples: Float32Array): Int16Array {
  const pcm = new Int16Array(samples.length);
  for (let n = 0; n < samples.length; n += 1)
    pcm[n] = Math.round(Math.max(-1, Math.min(1, samples[n]!)) * 32_767);
  return pcm;
}

/** How loud a block is: root mean square and highest peak, 0–1. */
export function levelOf(samples: Float32Array): { rms: number; peak: number } {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  return { rms: samples.length === 0 ? 0 : Math.sqrt(sum / samples.length), peak };
}
