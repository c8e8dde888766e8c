/** Which decoder reads which container. Each is loaded only where it is needed: threads stay small. */
import type { Channel } from '../channel.ts';
import type { OwnContainer } from '../sniff.ts';
import type { ContainerDecoder } from './decoder.ts';

/** @param channel Where it is not there, decoding fails with `audio_undecodable`. */
export async function openContainer(kind: OwnContainer, channel: Channel = null): Promise<ContainerDecoder> {
  switch (kind) {
    case 'wav': {
      const { WavDecoder } = await import('./wav.ts');
      return new WavDecoder(channel);
    }
    case 'webm': {
      const { WebmDecoder } = await import('./webm.ts');
      return new WebmDecoder(channel);
    }
    case 'ogg': {
      const { OggDecoder } = await import('./ogg.ts');
      return new OggDecoder(channel);
    }
    case 'mp3': {
      const { Mp3Decoder } = await import('./mp3.ts');
      return Mp3Decoder.open(channel);
    }
    case 'flac': {
      const { FlacDecoder } = await import('./flac.ts');
      return new FlacDecoder(channel);
    }
  }
}
