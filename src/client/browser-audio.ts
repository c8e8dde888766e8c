/** As much of the browser's audio as the microphone needs: the library builds without the browser's types. */

/** One source of a stream: a microphone. */
export interface BrowserTrack {
  readonly label: string;
  stop(): void;
  addEventListener(type: 'ended', listener: () => void, options?: { once: boolean }): void;
}

/** What `getUserMedia` gives. */
export interface BrowserStream {
  getAudioTracks(): BrowserTrack[];
}

/** A step on the way of the sound. */
export interface BrowserAudioNode {
  connect(to: BrowserAudioNode): unknown;
  disconnect(): void;
}

/** The end of a worklet that the page holds. */
export interface BrowserWorkletNode extends BrowserAudioNode {
  readonly port: {
    onmessage: ((event: { data: Float32Array | null }) => void) | null;
    postMessage(message: unknown): void;
  };
}

/** Where the sound is worked on. */
export interface BrowserAudioContext {
  readonly sampleRate: number;
  /** `suspended`, `running` or `closed`; Safari also has `interrupted`. */
  readonly state: string;
  readonly destination: BrowserAudioNode;
  readonly audioWorklet: { addModule(url: string): Promise<void> };
  createMediaStreamSource(stream: BrowserStream): BrowserAudioNode;
  resume(): Promise<void>;
  addEventListener(type: 'statechange', listener: () => void): void;
  close(): Promise<void>;
}

/** What a page offers. Everything may be missing: in old browsers, and `mediaDevices` also without HTTPS. */
export interface BrowserAudio {
  readonly isSecureContext?: boolean;
  readonly navigator?: {
    readonly mediaDevices?: {
      getUserMedia(constraints: { audio: Record<string, unknown> }): Promise<BrowserStream>;
    };
  };
  readonly AudioContext?: new (options: { latencyHint: 'interactive' }) => BrowserAudioContext;
  readonly AudioWorkletNode?: new (
    context: BrowserAudioContext,
    name: string,
    options: { numberOfInputs: number; outputChannelCount: number[] },
  ) => BrowserWorkletNode;
}
