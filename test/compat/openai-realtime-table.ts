/** What is spoken of OpenAI's Realtime interface: its transcription sessions. */
import type { Protocol, Row } from './table.ts';

const OF_RESPONSES = 'There are no responses in a transcription session.';
const NO_CONVERSATION = 'A transcription session has no conversation but what is heard.';

const inInput = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ({ ...row, name: `audio.input.${row.name}` }));

export const ADDRESS: readonly Row[] = [
  { name: 'intent', status: 'yes', sample: 'transcription' },
  {
    name: 'model',
    status: 'differs',
    sample: 'gpt-4o-transcribe',
    how: 'The model to transcribe with; there is no speech to speech that it could name.',
  },
  { name: 'call_id', status: 'refused', sample: 'rtc_1', how: 'There are no calls to join.' },
];

export const CONFIGURATION: readonly Row[] = [
  { name: 'type', status: 'yes', sample: 'transcription', how: '`realtime` (speech to speech) is refused.' },
  ...inInput([
    {
      name: 'format.type',
      status: 'yes',
      sample: 'audio/pcm',
      how: '`audio/pcmu` and `audio/pcma` as well.',
    },
    { name: 'format.rate', status: 'yes', sample: 24_000 },
    {
      name: 'noise_reduction.type',
      status: 'differs',
      sample: 'near_field',
      how: 'Taken, and nothing is filtered: `session.updated` says `null`.',
    },
    {
      name: 'transcription.model',
      status: 'differs',
      sample: 'gpt-realtime-whisper',
      how: "OpenAI's names mean the node's own model; `gpt-4o-transcribe-diarize` is refused.",
    },
    { name: 'transcription.language', status: 'yes', sample: 'en' },
    { name: 'transcription.prompt', status: 'yes', sample: 'Names: Dashwood, Willoughby.' },
    {
      name: 'transcription.delay',
      status: 'refused',
      sample: 'low',
      how: 'Words come as soon as they are sure.',
    },
  ]),
  {
    name: 'include',
    status: 'refused',
    sample: ['item.input_audio_transcription.logprobs'],
    how: 'No log probabilities; an empty list is taken.',
  },
];

/** What newer declarations have, those of the SDK for Python. */
export const NEWER: readonly Row[] = inInput([
  { name: 'noise_reduction.strength', status: 'differs', sample: 0.5, how: 'Taken; nothing is filtered.' },
  {
    name: 'transcription.languages',
    status: 'differs',
    sample: ['en'],
    how: 'One language; several are refused. Leave it out to have it detected.',
  },
  {
    name: 'transcription.keywords',
    status: 'yes',
    sample: ['Dashwood', 'Willoughby'],
    how: 'With the prompt 2,000 characters at most.',
  },
]);

export const SERVER_VAD: readonly Row[] = inInput([
  {
    name: 'turn_detection.type',
    status: 'yes',
    sample: 'server_vad',
    how: 'The default; `null` switches turn detection off, and the client commits.',
  },
  {
    name: 'turn_detection.threshold',
    status: 'differs',
    sample: 0.6,
    how: 'Taken; the detector keeps its own, which `session.updated` tells.',
  },
  {
    name: 'turn_detection.prefix_padding_ms',
    status: 'differs',
    sample: 600,
    how: 'Taken; the detector keeps its own, which `session.updated` tells.',
  },
  { name: 'turn_detection.silence_duration_ms', status: 'yes', sample: 350, how: '100 to 5,000.' },
  { name: 'turn_detection.idle_timeout_ms', status: 'refused', sample: 6000, how: '`null` is taken.' },
  { name: 'turn_detection.create_response', status: 'yes', sample: false, how: OF_RESPONSES },
  { name: 'turn_detection.interrupt_response', status: 'yes', sample: false, how: OF_RESPONSES },
]);

export const SEMANTIC_VAD: readonly Row[] = inInput([
  {
    name: 'turn_detection.type',
    status: 'differs',
    sample: 'semantic_vad',
    how: 'What was said is not weighed: a silence ends the turn, as long as `eagerness` says.',
  },
  {
    name: 'turn_detection.eagerness',
    status: 'differs',
    sample: 'high',
    how: '`high` 500 ms, `medium` and `auto` 1,000 ms, `low` 2,000 ms.',
  },
  { name: 'turn_detection.create_response', status: 'yes', sample: false, how: OF_RESPONSES },
  { name: 'turn_detection.interrupt_response', status: 'yes', sample: false, how: OF_RESPONSES },
]);

export const CLIENT_EVENTS: readonly Row[] = [
  {
    name: 'session.update',
    status: 'yes',
    sample: { session: { type: 'transcription' } },
    how: 'At any time, the audio format as well. What a session of ours cannot change begins another, after all that was said.',
  },
  { name: 'input_audio_buffer.append', status: 'yes', sample: { audio: 'AAAA' } },
  {
    name: 'input_audio_buffer.commit',
    status: 'yes',
    sample: {},
    how: 'Less than 100 ms is refused with `input_audio_buffer_commit_empty`.',
  },
  {
    name: 'input_audio_buffer.clear',
    status: 'yes',
    sample: {},
    how: 'What is being said is dropped, and not stored either. Without turn detection, what was said before a pause is not told of, but is in the stored session.',
  },
  { name: 'output_audio_buffer.clear', status: 'refused', sample: {}, how: OF_RESPONSES },
  { name: 'response.create', status: 'refused', sample: {}, how: OF_RESPONSES },
  { name: 'response.cancel', status: 'refused', sample: {}, how: OF_RESPONSES },
  { name: 'conversation.item.create', status: 'refused', sample: {}, how: NO_CONVERSATION },
  { name: 'conversation.item.delete', status: 'refused', sample: {}, how: NO_CONVERSATION },
  { name: 'conversation.item.retrieve', status: 'refused', sample: {}, how: NO_CONVERSATION },
  { name: 'conversation.item.truncate', status: 'refused', sample: {}, how: NO_CONVERSATION },
  { name: 'transcription_session.update', status: 'refused', sample: {}, how: 'Of the beta, which is gone.' },
];

/** `isNeverSent`: nothing here leads to it. */
export const SERVER_EVENTS: readonly (Row & { readonly isNeverSent?: true })[] = [
  { name: 'session.created', status: 'yes' },
  { name: 'session.updated', status: 'yes' },
  { name: 'input_audio_buffer.speech_started', status: 'yes' },
  {
    name: 'input_audio_buffer.speech_stopped',
    status: 'differs',
    how: 'Comes with the transcript, or when somebody speaks on before it is there; `audio_end_ms` is that place then.',
  },
  { name: 'input_audio_buffer.committed', status: 'yes' },
  { name: 'input_audio_buffer.cleared', status: 'yes' },
  { name: 'conversation.item.added', status: 'yes' },
  { name: 'conversation.item.done', status: 'yes' },
  {
    name: 'conversation.item.input_audio_transcription.delta',
    status: 'differs',
    how: 'With turn detection from the first words on, before the item is committed. Text once told does not change.',
  },
  {
    name: 'conversation.item.input_audio_transcription.completed',
    status: 'yes',
    how: '`usage` is of the kind `duration`; `languages` says which were spoken. An item in which nothing was understood has an empty transcript.',
  },
  {
    name: 'conversation.item.input_audio_transcription.failed',
    status: 'yes',
    how: 'Also for deltas whose audio the client cleared: `input_audio_buffer_cleared`.',
  },
  {
    name: 'error',
    status: 'yes',
    how: 'Where the connection closes after it, `event_id` is null and the close code is that of our own interface.',
  },
  {
    name: 'conversation.item.input_audio_transcription.segment',
    status: 'differs',
    how: 'Never sent: speakers are not told apart.',
    isNeverSent: true,
  },
  {
    name: 'input_audio_buffer.timeout_triggered',
    status: 'differs',
    how: 'Never sent: `idle_timeout_ms` is refused.',
    isNeverSent: true,
  },
  {
    name: 'input_audio_buffer.dtmf_event_received',
    status: 'differs',
    how: 'Never sent: of telephone calls.',
    isNeverSent: true,
  },
];

export const CLIENT_SECRETS: readonly Row[] = [
  { name: 'expires_after.anchor', status: 'yes', sample: 'created_at' },
  { name: 'expires_after.seconds', status: 'yes', sample: 10, how: '10 to 7,200; 600 if not given.' },
  {
    name: 'session',
    status: 'yes',
    sample: { type: 'transcription' },
    how: 'As above; what the connection begins with.',
  },
];

export const REALTIME: Protocol = {
  title: 'OpenAI: Realtime transcription',
  sections: [
    { title: 'Query of `WS /v1/realtime`', rows: ADDRESS },
    { title: 'Session configuration', rows: [...CONFIGURATION, ...NEWER] },
    { title: 'Turn detection: `server_vad`', rows: SERVER_VAD },
    { title: 'Turn detection: `semantic_vad`', rows: SEMANTIC_VAD },
    { title: 'Client events', rows: CLIENT_EVENTS },
    { title: 'Server events', rows: SERVER_EVENTS },
    { title: '`POST /v1/realtime/client_secrets`', rows: CLIENT_SECRETS },
  ],
};
