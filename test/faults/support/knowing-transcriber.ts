/** An endpoint that speaks OpenAI's `/audio/transcriptions` and hears the known clips without a mistake. */
import { setTimeout as sleep } from 'node:timers/promises';
import { whatIsSaid } from './known-speech.ts';
import { PatientTranscriber } from './patient-transcriber.ts';

const WAV_HEADER_BYTES = 44;

export class KnowingTranscriber {
  /** How long it thinks over each request. */
  thinkMs = 0;
  /** Requests that were answered. */
  answered = 0;
  #endpoint!: PatientTranscriber;

  /** Listens on a free port of this machine. */
  static async start(): Promise<KnowingTranscriber> {
    const transcriber = new KnowingTranscriber();
    transcriber.#endpoint = await PatientTranscriber.start((_prompt, wav) => transcriber.#hear(wav));
    return transcriber;
  }

  /** The settings of a gateway that asks it, and has no language model. */
  get settings(): Record<string, string> {
    return { ...this.#endpoint.settings, STT_MODEL: 'clips', STT_CONCURRENCY: '16', LLM: 'off' };
  }

  close(): Promise<void> {
    return this.#endpoint.close();
  }

  async #hear(wav: Buffer): Promise<string> {
    if (this.thinkMs > 0) await sleep(this.thinkMs);
    const text = whatIsSaid(wav.subarray(WAV_HEADER_BYTES));
    this.answered++;
    return text;
  }
}
