/** What is spoken of OpenAI's endpoints for recordings; `openai.test.ts` tries each row. */
import type { Protocol, Row } from './table.ts';

/** Whatever the vendor does not know either is refused likewise. */
const COMMON: readonly Row[] = [
  { name: 'file', status: 'yes', how: 'wav, mp3, flac, ogg, webm, m4a, mp4; up to MAX_UPLOAD_BYTES.' },
  {
    name: 'model',
    status: 'differs',
    how: 'The node’s own name, or one of the vendor’s that `/v1/models` lists and that means the same.',
    sample: 'gpt-4o-transcribe',
  },
  { name: 'prompt', status: 'yes', how: 'Up to 2,000 characters.', sample: 'Elinor and Marianne.' },
  {
    name: 'temperature: 0',
    status: 'yes',
    how: 'What a guard rejects is tried again at 0.2 and more.',
    sample: '0',
  },
  { name: 'temperature: 0.4', status: 'refused', how: 'Text is never left to chance alone.', sample: '0.4' },
  { name: 'response_format: json', status: 'yes', sample: 'json' },
  { name: 'response_format: text', status: 'yes', sample: 'text' },
  { name: 'response_format: srt', status: 'yes', how: 'A cue for each utterance.', sample: 'srt' },
  { name: 'response_format: vtt', status: 'yes', how: 'A cue for each utterance.', sample: 'vtt' },
  { name: 'response_format: verbose_json', status: 'yes', sample: 'verbose_json' },
];

const SEGMENT: readonly Row[] = [
  { name: 'segments', status: 'differs', how: 'One for each utterance: a stretch of speech between pauses.' },
  { name: 'segments[].id', status: 'yes' },
  {
    name: 'segments[].seek',
    status: 'differs',
    how: 'Where the utterance begins, which is a window of its own.',
  },
  { name: 'segments[].start', status: 'yes' },
  { name: 'segments[].end', status: 'yes' },
  { name: 'segments[].text', status: 'yes' },
  { name: 'segments[].tokens', status: 'differs', how: 'Always empty: tokens are not kept.' },
  { name: 'segments[].temperature', status: 'differs', how: 'Always 0, also after a second try.' },
  {
    name: 'segments[].avg_logprob',
    status: 'differs',
    how: 'The logarithm of the mean probability, not the mean of logarithms; 0 where the recogniser says nothing of it.',
  },
  { name: 'segments[].compression_ratio', status: 'yes' },
  {
    name: 'segments[].no_speech_prob',
    status: 'differs',
    how: 'Always 0: what is most likely no speech is left out, and told as transcript.suppressed among the session’s events.',
  },
];

const USAGE: Row = {
  name: 'usage',
  status: 'differs',
  how: 'Always {type: duration, seconds}, also under the name of a model that counts tokens.',
};

/** `POST /v1/audio/transcriptions`. */
export const transcriptions: Protocol = {
  title: 'OpenAI: transcriptions',
  sections: [
    {
      title: 'Fields of POST /v1/audio/transcriptions',
      rows: [
        ...COMMON,
        {
          name: 'response_format: diarized_json',
          status: 'refused',
          how: 'Speakers are not told apart.',
          sample: 'diarized_json',
        },
        { name: 'language', status: 'yes', how: 'A code of ISO 639-1, also with a region.', sample: 'en' },
        {
          name: 'languages[]',
          status: 'differs',
          how: 'One, which then is the language; several are refused.',
          sample: ['en'],
        },
        {
          name: 'keywords[]',
          status: 'differs',
          how: 'They become the end of the prompt.',
          sample: ['Norland', 'Sussex'],
        },
        {
          name: 'stream',
          status: 'yes',
          how: 'With json and text; also under the name whisper-1.',
          sample: 'true',
        },
        { name: 'timestamp_granularities[]: segment', status: 'yes', sample: ['segment'] },
        { name: 'timestamp_granularities[]: word', status: 'yes', sample: ['word'] },
        {
          name: 'include[]',
          status: 'refused',
          how: 'Probabilities of single tokens are not kept.',
          sample: ['logprobs'],
        },
        {
          name: 'chunking_strategy: auto',
          status: 'differs',
          how: 'Speech is always cut at its pauses, asked or not; loudness is left as it is.',
          sample: 'auto',
        },
        { name: 'chunking_strategy[type]: server_vad', status: 'yes', sample: { type: 'server_vad' } },
        {
          name: 'chunking_strategy[silence_duration_ms]',
          status: 'yes',
          how: '100 to 5,000; 500 where it is left out.',
          sample: { type: 'server_vad', silence_duration_ms: '700' },
        },
        {
          name: 'chunking_strategy[threshold]: 0.5',
          status: 'yes',
          sample: { type: 'server_vad', threshold: '0.5' },
        },
        {
          name: 'chunking_strategy[threshold]: 0.8',
          status: 'refused',
          how: 'The detector’s threshold is fixed at 0.5.',
          sample: { type: 'server_vad', threshold: '0.8' },
        },
        {
          name: 'chunking_strategy[prefix_padding_ms]',
          status: 'refused',
          how: '224 ms are kept before speech, always.',
          sample: { type: 'server_vad', prefix_padding_ms: '300' },
        },
        {
          name: 'known_speaker_names[]',
          status: 'refused',
          how: 'Speakers are not told apart.',
          sample: ['agent'],
        },
        {
          name: 'known_speaker_references[]',
          status: 'refused',
          how: 'Speakers are not told apart.',
          sample: ['data:audio/wav;base64,UklGRg=='],
        },
      ],
    },
    {
      title: 'The answer as json',
      rows: [
        { name: 'text', status: 'yes' },
        { name: 'logprobs', status: 'refused', how: 'As include[] is.' },
        USAGE,
        { name: 'usage.type', status: 'yes' },
        { name: 'usage.seconds', status: 'yes', how: 'To the millisecond.' },
      ],
    },
    {
      title: 'The answer as verbose_json',
      rows: [
        { name: 'task', status: 'yes' },
        {
          name: 'language',
          status: 'yes',
          how: 'Its English name, as Whisper has it; unknown where nothing was said.',
        },
        { name: 'duration', status: 'yes' },
        { name: 'text', status: 'yes' },
        { name: 'words', status: 'yes' },
        { name: 'words[].word', status: 'yes' },
        { name: 'words[].start', status: 'yes' },
        { name: 'words[].end', status: 'yes' },
        ...SEGMENT,
        { name: 'usage', status: 'yes' },
        { name: 'usage.type', status: 'yes' },
        { name: 'usage.seconds', status: 'yes', how: 'To the millisecond.' },
      ],
    },
    {
      title: 'Streamed events',
      rows: [
        { name: 'transcript.text.delta', status: 'differs', how: 'One for each utterance, once it is over.' },
        { name: 'transcript.text.delta: delta', status: 'yes' },
        { name: 'transcript.text.delta: logprobs', status: 'refused', how: 'As include[] is.' },
        { name: 'transcript.text.delta: segment_id', status: 'refused', how: 'As diarized_json is.' },
        { name: 'transcript.text.done', status: 'yes', how: 'Exactly one, then [DONE].' },
        { name: 'transcript.text.done: text', status: 'yes', how: 'The deltas, one after the other.' },
        { name: 'transcript.text.done: logprobs', status: 'refused', how: 'As include[] is.' },
        { name: 'transcript.text.done: usage', status: 'differs', how: USAGE.how! },
        { name: 'transcript.text.segment', status: 'refused', how: 'As diarized_json is.' },
      ],
    },
  ],
};

/** `POST /v1/audio/translations`. */
export const translations: Protocol = {
  title: 'OpenAI: translations',
  sections: [
    { title: 'Fields of POST /v1/audio/translations', rows: COMMON },
    {
      title: 'The answer as json',
      rows: [
        { name: 'text', status: 'yes' },
        { ...USAGE, how: 'Sent beyond what the vendor sends: {type: duration, seconds}.' },
        { name: 'usage.type', status: 'differs', how: 'The same.' },
        { name: 'usage.seconds', status: 'differs', how: 'The same.' },
      ],
    },
    {
      title: 'The answer as verbose_json',
      rows: [
        { name: 'task', status: 'yes' },
        { name: 'language', status: 'yes', how: 'That of the text: english.' },
        { name: 'duration', status: 'yes' },
        { name: 'text', status: 'yes' },
        ...SEGMENT,
        { ...USAGE, how: 'Sent beyond what the vendor sends: {type: duration, seconds}.' },
        { name: 'usage.type', status: 'differs', how: 'The same.' },
        { name: 'usage.seconds', status: 'differs', how: 'The same.' },
      ],
    },
  ],
};

/** `GET /v1/models`. */
export const models: Protocol = {
  title: 'OpenAI: models',
  sections: [
    {
      title: 'The answers of GET /v1/models and /v1/models/{model}',
      rows: [
        { name: 'id', status: 'differs', how: 'The node’s model, and each name that means it.' },
        { name: 'object', status: 'yes' },
        { name: 'created', status: 'differs', how: 'Always 0: a checkpoint does not say when it was made.' },
        { name: 'owned_by', status: 'differs', how: 'Always earshot.' },
      ],
    },
  ],
};
