import { asEarshotError, type EarshotError } from './error.ts';
import type { LiveStream } from './live-stream.ts';
import type { Microphone, MicrophoneOptions } from './microphone.ts';
import { openMicrophone } from './open-microphone.ts';

/** How to listen; what is heard goes into the stream. */
export interface SpeakOptions extends Omit<MicrophoneOptions, 'onAudio'> {
  /** The stream takes no more, for this reason, and the microphone was let go of. */
  readonly onStopped?: ((error: EarshotError) => void) | undefined;
}

/**
 * Opens the microphone in a browser and sends what it hears into a live stream, until `stop()`, which does not end
 * the stream, or until the stream is over.
 *
 * @param workletUrl As of {@link openMicrophone}.
 * @throws MicrophoneError with a `problem` that a page can explain.
 */
export async function speakInto(
  stream: LiveStream,
  options: SpeakOptions = {},
  workletUrl?: string | URL,
): Promise<Microphone> {
  const { onStopped, ...listening } = options;
  let stopped = false;
  let microphone: Microphone | null = null;
  const stop = (error: unknown) => {
    if (stopped) return;
    stopped = true;
    void microphone?.stop();
    if (error) onStopped?.(asEarshotError(error));
  };
  const onAudio = (pcm: Int16Array) => {
    if (stopped) return;
    try {
      stream.send(pcm);
    } catch (error) {
      stop(error);
    }
  };
  microphone = await openMicrophone({ ...listening, onAudio }, workletUrl);
  const opened = microphone;
  // The stream may have ended while the microphone was opened, or end in silence.
  stream.receipt.then(() => stop(null), stop);
  return {
    label: opened.label,
    deviceSampleRateHz: opened.deviceSampleRateHz,
    async stop() {
      await opened.stop();
      stopped = true;
    },
  };
}
