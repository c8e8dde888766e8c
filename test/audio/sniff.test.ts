import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Container, SNIFF_BYTES, sniff } from '../../src/audio/sniff.ts';
import { fixture } from '../support/audio.ts';
import { wav } from '../support/containers.ts';

const thread = (kind: string) => ({ by: 'thread', kind });
const ffmpeg = (demuxer: string) => ({ by: 'ffmpeg', demuxer });
const file = (name: string) => readFileSync(fixture(name));
const text = (head: string) => Buffer.from(head.padEnd(64, '\0'), 'latin1');
const oggPage = (packet: string) =>
  Buffer.concat([text('OggS').subarray(0, 26), Buffer.of(1, 40), Buffer.from(packet), Buffer.alloc(40)]);
const id3 = (size: number, rest: Buffer) =>
  Buffer.concat([Buffer.from('ID3\x04\0\0\0\0'), Buffer.of(size >> 7, size & 127), Buffer.alloc(size), rest]);

describe('the first bytes', () => {
  it.each<[string, Buffer, object | null]>([
    ['a WAV file', file('austen-0880.wav'), thread('wav')],
    ['a WAV file with ADPCM', wav({ tag: 2, bits: 4 }), ffmpeg('wav')],
    ['RF64', Buffer.concat([Buffer.from('RF64'), wav().subarray(4)]), thread('wav')],
    ['a live recording by Chromium', file('containers/chromium.webm'), thread('webm')],
    ['a WebM file', file('containers/speech.webm'), thread('webm')],
    [
      'a WebM file with Vorbis',
      Buffer.from(file('containers/speech.webm').toString('latin1').replace('A_OPUS', 'A_VORB'), 'latin1'),
      ffmpeg('matroska'),
    ],
    ['an Ogg file with Opus', file('containers/speech.ogg'), thread('ogg')],
    ['an Ogg file with Vorbis', oggPage('\x01vorbis.'), ffmpeg('ogg')],
    ['an MP3 file with a tag', file('containers/speech.mp3'), thread('mp3')],
    ['MP3 frames', Buffer.from([0xff, 0xfb, 0x90, 0x64, ...Array(20).fill(0)]), thread('mp3')],
    ['FLAC', file('containers/speech.flac'), thread('flac')],
    ['FLAC behind a tag', id3(300, file('containers/speech.flac')), ffmpeg('flac')],
    ['MP3 behind a tag longer than what is looked at', id3(16_000, Buffer.alloc(0)), thread('mp3')],
    ['m4a', file('containers/speech.m4a'), ffmpeg('mov')],
    ['AAC in ADTS', Buffer.from([0xff, 0xf1, 0x50, 0x80, ...Array(20).fill(0)]), ffmpeg('aac')],
    ['AAC in ADTS behind a tag', id3(20, Buffer.from([0xff, 0xf1, 0x50, 0x80])), ffmpeg('aac')],
    ['AIFF', text('FORM....AIFFCOMM'), ffmpeg('aiff')],
    ['AMR', text('#!AMR\n'), ffmpeg('amr')],
    [
      'MPEG-TS',
      Buffer.alloc(
        400,
        (() => {
          const packet = Buffer.alloc(188);
          packet[0] = 0x47;
          return packet;
        })(),
      ),
      ffmpeg('mpegts'),
    ],
    ['text', text('Hello, this is a transcript.'), null],
    ['HTML', text('<!doctype html><html>'), null],
    ['a playlist', text('#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd'), null],
    ['a concat script', text('ffconcat version 1.0\nfile /etc/passwd'), null],
    ['a zip archive', text('PK\x03\x04'), null],
    ['a PNG', text('\x89PNG\r\n\x1a\n'), null],
    ['a PDF', text('%PDF-1.7'), null],
    ['a WebVTT file', text('WEBVTT\n\n00:00'), null],
    ['a WebP picture', text('RIFF....WEBPVP8 '), null],
    ['an MP3 header with a reserved rate', Buffer.from([0xff, 0xfb, 0x9c, ...Array(20).fill(0)]), null],
    ['zeros', Buffer.alloc(100), null],
    ['two bytes', Buffer.from('Og'), null],
    ['nothing', Buffer.alloc(0), null],
  ])('of %s tell what it is', (_, bytes, expected) => {
    expect(sniff(bytes, true)).toEqual(expected);
  });

  it.each([
    'austen-0880.wav',
    'containers/chromium.webm',
    'containers/speech.ogg',
    'containers/speech.mp3',
    'containers/speech.m4a',
  ])('of %s are asked for until they suffice, and never judged otherwise', (name) => {
    const bytes = file(name);
    const final = sniff(bytes, true);
    for (let length = 0; length < 2_000; length++) {
      const early: Container | 'more' | null = sniff(bytes.subarray(0, length), false);
      if (early !== 'more') expect(early).toEqual(final);
    }
  });

  it('are never asked for beyond the limit', () => {
    for (const head of [
      'RIFF....WAVELIST\xff\xff\xff\x00',
      '\x1a\x45\xdf\xa3',
      'ID3\x04\0\0\x7f\x7f\x7f\x7f',
      'G',
    ])
      expect(sniff(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.alloc(SNIFF_BYTES)]), false)).not.toBe(
        'more',
      );
  });
});
