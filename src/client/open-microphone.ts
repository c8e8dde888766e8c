import { captureMicrophone, type Microphone, type MicrophoneOptions } from './microphone.ts';

/**
 * Opens the microphone in a browser: 16 kHz mono, ready to be handed to `LiveStream.send`.
 *
 * @param workletUrl Where `capture-worklet.js` is served, for bundlers that do not follow `import.meta.url`.
 * @throws MicrophoneError with a `problem` that a page can explain.
 */
export function openMicrophone(
  options: MicrophoneOptions,
  workletUrl: string | URL = new URL('./capture-worklet.js', import.meta.url),
): Promise<Microphone> {
  return captureMicrophone(String(workletUrl), options);
}
