/**
 * Runs on the browser's audio thread and hands the microphone's samples to the page, in blocks: one channel, at
 * the device's own rate. It does nothing else, since whatever takes long here is heard as a gap. The file
 * imports nothing, so it works wherever a bundler puts it.
 */
declare const AudioWorkletProcessor: new () => { readonly port: Port };
declare function registerProcessor(name: string, processor: unknown): void;

interface Port {
  onmessage: (() => void) | null;
  postMessage(message: Float32Array | null, transfer?: ArrayBuffer[]): void;
}

/** 21 ms at 48 kHz. */
const BLOCK_SAMPLES = 1024;

registerProcessor(
  'earshot-capture',
  class extends AudioWorkletProcessor {
    #block = new Float32Array(BLOCK_SAMPLES);
    #filled = 0;
    #stopped = false;

    constructor() {
      super();
      // Any message means stop: the last block goes out, then null to say that it was the last.
      this.port.onmessage = () => {
        this.#stopped = true;
        this.port.postMessage(this.#block.slice(0, this.#filled));
        this.port.postMessage(null);
      };
    }

    process(inputs: Float32Array[][]): boolean {
      const channels = inputs[0] ?? [];
      const quantum = channels[0]?.length ?? 0;
      for (let at = 0; at < quantum && !this.#stopped; at += 1) {
        let sum = 0;
        for (const channel of channels) sum += channel[at]!;
        this.#block[this.#filled++] = sum / channels.length;
        if (this.#filled === BLOCK_SAMPLES) {
          this.port.postMessage(this.#block, [this.#block.buffer as ArrayBuffer]);
          this.#block = new Float32Array(BLOCK_SAMPLES);
          this.#filled = 0;
        }
      }
      return !this.#stopped;
    }
  },
);
