/** A session's transcript in the formats people open: JSON, plain text, SubRip and WebVTT. */
import type { Session } from '../domain/session.ts';

export const TRANSCRIPT_FORMATS = ['json', 'text', 'srt', 'vtt'] as const;
export type TranscriptFormat = (typeof TRANSCRIPT_FORMATS)[number];

export const CONTENT_TYPES: Record<TranscriptFormat, string> = {
  json: 'application/json; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
};

/** The transcript as far as it goes. Text has an utterance a line. */
export function renderTranscript(session: Session, format: TranscriptFormat): string {
  const { id: sessionId, state, language, text, utterances } = session;
  switch (format) {
    case 'json':
      return JSON.stringify({ sessionId, state, language, text, utterances });
    case 'text':
      return utterances.map((utterance) => `${utterance.text}\n`).join('');
    case 'srt':
      return utterances
        .map(
          ({ startMs, endMs, text: line }, index) =>
            `${index + 1}\n${cue(startMs, endMs, ',')}\n${srtText(line)}\n`,
        )
        .join('\n');
    case 'vtt':
      return [
        'WEBVTT\n',
        ...utterances.map(
          ({ startMs, endMs, text: line }) => `${cue(startMs, endMs, '.')}\n${vttText(line)}\n`,
        ),
      ].join('\n');
  }
}

const cue = (startMs: number, endMs: number, point: string): string =>
  `${timestamp(startMs, point)} --> ${timestamp(endMs, point)}`;

/** `HH:MM:SS` and milliseconds after `point`; hours go on past 99. */
function timestamp(ms: number, point: string): string {
  const pad = (value: number, digits = 2) => String(Math.floor(value)).padStart(digits, '0');
  const seconds = ms / 1000;
  return `${pad(seconds / 3600)}:${pad((seconds / 60) % 60)}:${pad(seconds % 60)}${point}${pad(ms % 1000, 3)}`;
}

/** A cue may hold neither an empty line nor an arrow, which would start the next one. */
const srtText = (text: string): string => text.replaceAll('-->', '→').replace(/\s*\n\s*/g, ' ');

/** WebVTT cue text: `&` and `<` are markup (W3C WebVTT, section 3.4). */
const vttText = (text: string): string =>
  srtText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
