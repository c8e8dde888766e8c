/** A Realtime client for tests, and speech in the formats that such clients send. */
import { ALAW_TO_LINEAR, MULAW_TO_LINEAR } from '../../../src/audio/g711.ts';
import { type Message, TestSocket } from '../../support/socket.ts';
import { pcmOf } from '../../support/speech.ts';

export const COMPLETED = 'conversation.item.input_audio_transcription.completed';
export const DELTA = 'conversation.item.input_audio_transcription.delta';
export const FAILED = 'conversation.item.input_audio_transcription.failed';

export class RealtimeClient extends TestSocket {
  constructor(url: string, options: { query?: string; key?: string; protocols?: string[] } = {}) {
    const { query = 'intent=transcription', key, protocols = [] } = options;
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    super(`${url}/v1/realtime?${query}`, { protocols, headers });
  }

  /** Sends what changes of the configuration; resolves with the whole of it. */
  async update(input: object, more: object = {}): Promise<Message> {
    await this.next('session.created');
    const before = this.all('session.updated').length;
    this.send({ type: 'session.update', session: { type: 'transcription', audio: { input }, ...more } });
    return await this.next(
      'session.updated',
      (message) => this.all('session.updated').indexOf(message) === before,
    );
  }

  /** Sends audio in pieces that end where they end. */
  async append(audio: Uint8Array, pieceBytes = 4801): Promise<void> {
    await this.next('session.created');
    for (let at = 0; at < audio.length; at += pieceBytes) {
      const piece = audio.subarray(at, at + pieceBytes);
      this.send({ type: 'input_audio_buffer.append', audio: Buffer.from(piece).toString('base64') });
    }
  }

  commit(): void {
    this.send({ type: 'input_audio_buffer.commit' });
  }

  /** The answer to what was sent so far has come; what it is worth has been said. */
  async settled(): Promise<void> {
    const event_id = `settled-${Math.random()}`;
    this.send({ type: 'nothing.of.the.kind', event_id });
    await this.next('error', ({ error }) => error.event_id === event_id);
  }

  /**
   * Speaks on and on until words are told of what is still being said.
   * @returns The item of which it is.
   */
  async speakUntilTold(audio: Buffer): Promise<string> {
    const committed = () => this.all('input_audio_buffer.committed').map(({ item_id }) => item_id);
    for (let at = 0; ; at = (at + 12_000) % audio.length) {
      const told = this.all(DELTA).at(-1)?.item_id;
      if (told !== undefined && !committed().includes(told)) return told;
      await this.append(audio.subarray(at, at + 12_000));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** The deltas of an item, put together. */
  told(itemId: string): string {
    return this.all(DELTA)
      .filter(({ item_id }) => item_id === itemId)
      .map(({ delta }) => delta)
      .join('');
  }
}

const samplesOf = (pcm: Buffer): Int16Array =>
  new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.length));

/** 16-bit PCM of 16 kHz as that of 24 kHz: a straight line from sample to sample is good enough for speech. */
function at24kHz(pcm: Buffer): Buffer {
  const from = samplesOf(pcm);
  const to = Int16Array.from({ length: Math.floor(from.length * 1.5) }, (_, at) => {
    const place = at / 1.5;
    const before = from[Math.floor(place)]!;
    const after = from[Math.ceil(place)] ?? before;
    return Math.round(before + (after - before) * (place % 1));
  });
  return Buffer.from(to.buffer);
}

/** 16-bit PCM of 16 kHz in G.711 at 8 kHz, by the nearest value there is. */
function asG711(pcm: Buffer, table: Float32Array): Buffer {
  const from = samplesOf(pcm);
  const codes = [...table.keys()].sort((a, b) => table[a]! - table[b]!);
  return Buffer.from(
    Uint8Array.from({ length: from.length >> 1 }, (_, at) => {
      const value = (from[2 * at]! + from[2 * at + 1]!) / 2 / 32_768;
      const above = codes.findIndex((code) => table[code]! >= value);
      return codes[above < 0 ? codes.length - 1 : above]!;
    }),
  );
}

/** A fixture with silence around it, as 24 kHz PCM. */
export const speech = (name: string, silenceMs = 900): Buffer =>
  Buffer.concat([silence(300), at24kHz(pcmOf(name)), silence(silenceMs)]);

/** The same as 8 kHz µ-law or A-law. */
export const telephone = (name: string, law: 'audio/pcmu' | 'audio/pcma'): Buffer =>
  asG711(
    Buffer.concat([Buffer.alloc(9600), pcmOf(name), Buffer.alloc(32_000)]),
    law === 'audio/pcmu' ? MULAW_TO_LINEAR : ALAW_TO_LINEAR,
  );

/** Silence as 24 kHz PCM. */
export const silence = (ms: number): Buffer => Buffer.alloc(ms * 48);

/** How long 24 kHz PCM is. */
export const msOf = (audio: Uint8Array): number => audio.length / 48;
