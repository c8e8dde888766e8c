import type { Words } from './words.ts';

export const en: Words = {
  tag: 'en',
  interfaceLanguage: 'Interface language',
  skipToContent: 'Skip to the transcript',
  apiDocs: 'API',

  record: 'Record',
  status: {
    idle: 'Ready when you are',
    starting: 'Opening the microphone …',
    recording: 'Recording',
    reconnecting: 'Reconnecting …',
    finishing: 'Finishing the last words …',
  },
  hint: 'Press to speak',
  spokenLanguage: 'Spoken language',
  detectLanguage: 'Automatic',
  answers: 'Language model',
  answersOff: 'Off',
  answersPerUtterance: 'Each utterance',
  answersAtEnd: 'Summary at the end',
  lostConnection: 'The connection was lost. What you say is kept and will be sent when it is back.',

  uploadTitle: 'Have a recording?',
  uploadHint: 'Drop it here: wav, mp3, flac, ogg, webm, m4a, mp4.',
  chooseFile: 'Choose a file',
  dropHere: 'Let go to transcribe',
  sending: (name) => `Sending ${name}`,
  cancel: 'Cancel',
  transcribing: 'Transcribing',
  waitingInLine: 'Waiting for its turn',

  transcript: 'Transcript',
  emptyTitle: 'Speak, and read along',
  emptyText: 'Words appear here while they are spoken. Words with a dotted line may still change.',
  listening: 'Listening …',
  nothingSaid: 'Nothing was said.',
  noWordsYet: 'No words yet',
  mayChange: '(may still change)',
  withheld: (count) =>
    count === 1
      ? 'One passage is not shown: it was most likely not speech.'
      : `${count} passages are not shown: they were most likely not speech.`,
  answer: 'Language model',
  answerFailed: 'The language model gave no answer. The transcript is complete.',
  answerPending: 'Thinking …',

  sessions: 'Sessions',
  noSessions: 'Your recordings will be listed here.',
  olderSessions: 'Show older',
  sourceLive: 'Live',
  sourceRecording: 'Recording',
  running: 'In progress',
  failed: 'Failed',
  backToRecording: 'Back to the recording',
  newRecording: 'Close this transcript',
  close: 'Close',
  download: 'Download',
  copy: 'Copy text',
  copied: 'Copied',
  remove: 'Delete',
  removeTitle: 'Delete this session?',
  removeText: 'Its transcript and answers will be erased. This cannot be undone.',

  keyTitle: 'This gateway asks for a key',
  keyText: 'Enter an API key. It is kept in this tab only and forgotten when you close it.',
  keyLabel: 'API key',
  keyWrong: 'The gateway does not accept this key.',
  keySave: 'Continue',

  dismiss: 'Dismiss',
  tryAgain: 'Try again',
  microphone: {
    denied: {
      what: 'The microphone is blocked.',
      next: 'Allow it in the address bar or in the system’s privacy settings, then press Record again.',
    },
    no_device: { what: 'No microphone was found.', next: 'Connect one, then press Record again.' },
    busy: {
      what: 'The microphone gives no sound.',
      next: 'Another program may be using it: close that, then press Record again.',
    },
    insecure: {
      what: 'Browsers give no microphone to a page without HTTPS.',
      next: 'Open this page by https:// or as http://localhost.',
    },
    unsupported: {
      what: 'This browser cannot record.',
      next: 'Use a current Chrome, Edge, Firefox or Safari. Uploading a recording works here too.',
    },
    not_loaded: {
      what: 'The gateway does not answer.',
      next: 'Check that it is running, then press Record again.',
    },
    lost: {
      what: 'The microphone was disconnected.',
      next: 'What was said so far is kept. Connect it again and press Record.',
    },
  },
  errors: {
    unreachable: { what: 'The gateway does not answer.', next: 'Check that it is running, then try again.' },
    connection_lost: {
      what: 'The connection was lost for too long.',
      next: 'What was transcribed is kept in the list. Press Record to go on.',
    },
    not_resumable: {
      what: 'The connection was lost, and the session ended without it.',
      next: 'What was transcribed is kept in the list. Press Record to go on.',
    },
    unauthorized: { what: 'The gateway asks for a key.', next: 'Try again and enter an API key.' },
    not_found: { what: 'This session no longer exists.', next: 'Choose another one from the list.' },
    overloaded: { what: 'The gateway is busy.', next: 'Wait a moment, then try again.' },
    rate_limited: { what: 'Too many requests.', next: 'Wait a moment, then try again.' },
    payload_too_large: { what: 'The file is too large.', next: 'Send a shorter or a compressed recording.' },
    audio_undecodable: {
      what: 'The audio cannot be read.',
      next: 'Save it as wav, mp3, flac or ogg and send it again.',
    },
    audio_empty: { what: 'The file has no sound in it.', next: 'Choose another file.' },
    audio_too_long: {
      what: 'The recording is too long.',
      next: 'Cut it into parts and send them one by one.',
    },
    session_ended: { what: 'The session has ended.', next: 'Press Record to begin a new one.' },
    replaced: { what: 'Another window took over this session.', next: 'Go on there, or press Record.' },
    idle_timeout: {
      what: 'The session was ended because nothing came for too long.',
      next: 'Press Record to begin a new one.',
    },
    session_too_long: {
      what: 'The session reached the longest time allowed.',
      next: 'What was said is kept. Press Record to go on in a new one.',
    },
    storage_unavailable: { what: 'The gateway’s database does not answer.', next: 'Try again in a moment.' },
    storage_full: { what: 'The gateway has no space left.', next: 'Delete sessions you no longer need.' },
    recognition_failed: { what: 'The speech could not be recognised.', next: 'Try again.' },
  },
  otherError: (message) => ({ what: 'That did not work.', next: message }),
};
