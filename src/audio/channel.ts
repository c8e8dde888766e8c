/** Which of its channels is heard of audio that has several. */
import { undecodable } from './undecodable.ts';

/** The only channel that is heard, counted from 0; null for all, mixed down to their mean. */
export type Channel = number | null;

/**
 * Makes sure that a channel is there.
 * @param channels How many the audio has.
 * @throws Failure `audio_undecodable`
 */
export function requireChannel(channel: Channel, channels: number): void {
  if (channel !== null && channel >= channels)
    throw undecodable(`There is no channel ${channel}: the audio has ${channels}, counted from 0.`);
}
