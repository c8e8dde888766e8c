/** Which decoder reads which container. Each is loaded only where it is needed: threads stay small. */
import type { OwnContainer } from '../sniff.ts';
import type { ContainerDecoder } from './decoder.ts';

export async function openContainer(kind: OwnContainer): Promise<ContainerDecoder> {
  switch (kind) {
    case 'wav': {
      const { WavDecoder } = await import('./wav.ts');
      return new WavDecoder();
    }
    case 'webm': {
      const { WebmDecoder } = await import('./webm.ts');
      return new WebmDecoder();
    }
    case 'ogg': {
      const { OggDecoder } = await import('./ogg.ts');
      return new OggDecoder();
    }
    case 'mp3': {
      const { Mp3Decoder } = await import('./mp3.ts');
      return Mp3Decoder.open();
    }
    case 'flac': {
      const { FlacDecoder } = await import('./flac.ts');
      return new FlacDecoder();
    }
  }
}
