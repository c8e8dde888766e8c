/** What is spoken of Deepgram's protocol, and how. */
import type { Protocol, Row, Section } from './table.ts';

const yes = (name: string, sample?: unknown, how?: string): Row => row('yes', name, how, sample);
const differs = (name: string, how: string, sample?: unknown): Row => row('differs', name, how, sample);
const refused = (name: string, how: string, sample?: unknown): Row => row('refused', name, how, sample);
const row = (status: Row['status'], name: string, how: string | undefined, sample: unknown): Row => ({
  name,
  status,
  ...(how !== undefined && { how }),
  ...(sample !== undefined && { sample }),
});

const NOT_INTERPRETED = 'Text is transcribed, and not interpreted.';
const NOT_FORMATTED = 'Text is as Whisper writes it.';
const NO_SPEAKERS = 'Speakers are not told apart; `multichannel` keeps channels apart.';
const CONFIDENCE = '0 where the recogniser does not say.';
const NEVER_SENT = 'Never sent.';

/** What live audio and recordings have in common. */
const COMMON: readonly Row[] = [
  differs(
    'model',
    'The names `nova-2` and `nova-3`, also with `-general`, mean the node’s own model.',
    'nova-3',
  ),
  differs('version', '`latest`; every other is refused.', 'latest'),
  differs(
    'language',
    '`en` where it is left out; `multi` finds out which of all that the model knows.',
    'multi',
  ),
  differs('mip_opt_out', 'Nothing ever leaves the gateway, whatever is said.', 'true'),
  differs('keyterm', 'Given to the recogniser as text to expect: 2,000 characters in all.', [
    'Dashwood',
    'Norland',
  ]),
  yes('tag', ['one', 'two'], 'Also kept in the session’s metadata.'),
  yes('extra', ['call:7'], 'Also kept in the session’s metadata, as `extra.<key>`.'),
  differs('punctuate', 'Text is punctuated unless it is `false`.', 'false'),
  differs(
    'smart_format',
    'Text is as Whisper writes it: punctuated, numbers mostly in digits, nothing laid out.',
    'true',
  ),
  refused('detect_entities', NOT_INTERPRETED, 'true'),
  refused('diarize', NO_SPEAKERS, 'true'),
  refused('diarize_model', NO_SPEAKERS, 'latest'),
  refused('dictation', NOT_FORMATTED, 'true'),
  refused('keywords', 'Use `keyterm`.', ['Dashwood:2']),
  refused('numerals', NOT_FORMATTED, 'true'),
  refused('profanity_filter', NOT_FORMATTED, 'true'),
  refused('redact', NOT_FORMATTED, 'pci'),
  refused('replace', NOT_FORMATTED, ['Dashwood:Smith']),
  refused('search', 'Search the transcript.', ['Dashwood']),
];

/** The parameters of the live connection. */
export const LIVE: Section = {
  title: 'Live: parameters of `WS /v1/listen`',
  rows: [
    ...COMMON,
    differs(
      'encoding',
      '`linear16`, `linear32`, `mulaw`, `alaw`, `flac`, `ogg-opus`, or none for a container. `opus` without one, `amr-nb`, `amr-wb`, `speex` and `g729` are refused.',
      'linear32',
    ),
    yes('sample_rate', '48000', '4,000–192,000; needed where the audio is raw.'),
    yes('channels', '2', '1–8.'),
    differs('multichannel', 'Needs `channels`, also where a container would tell.', 'true'),
    yes('interim_results', 'true'),
    differs(
      'endpointing',
      '300–5,000 ms: less is raised to 300, as Whisper hears half a phrase badly; more is refused. 500 where it is left out.',
      '10',
    ),
    yes('utterance_end_ms', '1000', 'With `interim_results`.'),
    yes('vad_events', 'true'),
    differs('filler_words', 'Whisper leaves most of them out, whatever is said.', 'true'),
    yes('no_delay', 'true'),
    refused(
      'callback',
      'Connect and listen, or use the webhooks of `/v1/sessions`.',
      'https://example.com/hook',
    ),
    refused('callback_method', 'As `callback`.', 'POST'),
    refused('language_hint', 'Say `language=multi`.', ['en']),
  ],
};

/** What a client sends over the connection; the sample is the message. */
export const CLIENT: Section = {
  title: 'Live: what a client sends',
  rows: [
    differs(
      'binary frames',
      'Audio. Up to four times `MAX_FRAME_BYTES`, which is 1 MiB unless set otherwise.',
    ),
    yes(
      'KeepAlive',
      { type: 'KeepAlive' },
      'Without audio and without this the connection is closed after 10 s: 1011, `NET-0001`.',
    ),
    yes('Finalize', { type: 'Finalize' }, 'Always answered: by the last final, or by an empty one.'),
    yes('CloseStream', { type: 'CloseStream' }, 'An empty binary frame does the same.'),
    refused('Configure', 'Answered with an `Error`; the connection goes on.', { type: 'Configure' }),
  ],
};

/** Every field of each message of the server. */
export const SERVER: Section = {
  title: 'Live: what the server sends',
  rows: [
    differs(
      'Results',
      'One final for each utterance, immutable, and interim ones while it is spoken. Silence gives none.',
    ),
    yes('Results.type'),
    yes('Results.channel_index'),
    yes('Results.start'),
    yes('Results.duration'),
    yes('Results.is_final'),
    yes(
      'Results.speech_final',
      undefined,
      'False where speech without a pause was cut, or `Finalize` came before a pause.',
    ),
    yes('Results.from_finalize'),
    yes('Results.channel.alternatives[].transcript'),
    differs('Results.channel.alternatives[].confidence', `${CONFIDENCE} In interim results it never does.`),
    differs('Results.channel.alternatives[].languages', 'In finals, with `language=multi`.'),
    differs(
      'Results.channel.alternatives[].words[].word',
      'The times of interim words are shared out by their letters; those of finals are measured.',
    ),
    yes('Results.channel.alternatives[].words[].start'),
    yes('Results.channel.alternatives[].words[].end'),
    differs('Results.channel.alternatives[].words[].confidence', CONFIDENCE),
    yes('Results.channel.alternatives[].words[].punctuated_word', undefined, 'Unless `punctuate=false`.'),
    refused('Results.channel.alternatives[].words[].language', NEVER_SENT),
    refused('Results.channel.alternatives[].words[].speaker', NEVER_SENT),
    yes(
      'Results.metadata.request_id',
      undefined,
      'Also `requestId` in the metadata of the session behind it.',
    ),
    yes('Results.metadata.model_uuid'),
    yes('Results.metadata.model_info.name'),
    differs('Results.metadata.model_info.version', 'Always `earshot`.'),
    differs('Results.metadata.model_info.arch', 'The name of the model.'),
    refused('Results.metadata.diarize_info', NEVER_SENT),
    refused('Results.entities', NEVER_SENT),
    yes('SpeechStarted.type'),
    yes('SpeechStarted.channel'),
    yes('SpeechStarted.timestamp'),
    yes('UtteranceEnd.type'),
    yes('UtteranceEnd.channel'),
    yes('UtteranceEnd.last_word_end'),
    yes('Metadata.type', undefined, 'Once, before the connection is closed with 1000.'),
    yes('Metadata.transaction_key'),
    yes('Metadata.request_id'),
    yes('Metadata.sha256'),
    yes('Metadata.created'),
    yes('Metadata.duration'),
    yes('Metadata.channels', undefined, 'Of the results: 1 without `multichannel`.'),
    yes('Metadata.models'),
    yes('Metadata.model_info'),
    yes('Metadata.tags'),
    yes('Metadata.extra'),
    yes('Error.type'),
    yes('Error.variant'),
    yes('Error.description'),
    yes('Error.message'),
  ],
};

/** The parameters of a recording. */
export const RECORDED: Section = {
  title: 'Recordings: parameters of `POST /v1/listen`',
  rows: [
    ...COMMON,
    differs('encoding', 'As live; a recording with a header needs none.', 'flac'),
    yes('sample_rate', '16000'),
    yes('channels', '2'),
    differs(
      'multichannel',
      'Where the file’s header does not tell how many there are, `channels` must.',
      'true',
    ),
    differs('filler_words', 'Whisper leaves most of them out, whatever is said.', 'true'),
    differs('detect_language', '`true` or `false`; no list of languages.', 'true'),
    yes('utterances', 'true'),
    yes('utt_split', '1.5'),
    differs(
      'callback',
      'Signed as all webhooks of the gateway (Standard Webhooks); not with `multichannel`.',
    ),
    differs('callback_method', '`POST`.', 'POST'),
    refused('paragraphs', 'Say `utterances=true`.', 'true'),
    refused('measurements', NOT_FORMATTED, 'true'),
    refused('sentiment', NOT_INTERPRETED, 'true'),
    refused('summarize', `${NOT_INTERPRETED} A session of \`/v1/sessions\` has \`llm\` for that.`, 'v2'),
    refused('topics', NOT_INTERPRETED, 'true'),
    refused('custom_topic', NOT_INTERPRETED, ['money']),
    refused('custom_topic_mode', NOT_INTERPRETED, 'strict'),
    refused('intents', NOT_INTERPRETED, 'true'),
    refused('custom_intent', NOT_INTERPRETED, ['buying']),
    refused('custom_intent_mode', NOT_INTERPRETED, 'strict'),
  ],
};

const ANALYSED = 'Never sent: what asks for it is refused.';

/** Every field of the answer to a recording. */
export const ANSWER: Section = {
  title: 'Recordings: the answer',
  rows: [
    yes('metadata.transaction_key'),
    yes('metadata.request_id'),
    yes('metadata.sha256'),
    yes('metadata.created'),
    yes('metadata.duration'),
    yes('metadata.channels', undefined, 'Of the results: 1 without `multichannel`.'),
    yes('metadata.models'),
    yes('metadata.model_info'),
    yes('metadata.tags'),
    yes('metadata.extra'),
    refused('metadata.diarize_info', ANALYSED),
    refused('metadata.summary_info', ANALYSED),
    refused('metadata.sentiment_info', ANALYSED),
    refused('metadata.topics_info', ANALYSED),
    refused('metadata.intents_info', ANALYSED),
    refused('results.channels[].search', ANALYSED),
    yes('results.channels[].detected_language'),
    yes('results.channels[].alternatives[].transcript'),
    differs('results.channels[].alternatives[].confidence', CONFIDENCE),
    yes('results.channels[].alternatives[].words[].word'),
    yes('results.channels[].alternatives[].words[].start'),
    yes('results.channels[].alternatives[].words[].end'),
    differs('results.channels[].alternatives[].words[].confidence', CONFIDENCE),
    yes('results.channels[].alternatives[].words[].punctuated_word'),
    refused('results.channels[].alternatives[].words[].speaker', ANALYSED),
    refused('results.channels[].alternatives[].words[].speaker_confidence', ANALYSED),
    refused('results.channels[].alternatives[].paragraphs', ANALYSED),
    refused('results.channels[].alternatives[].entities', ANALYSED),
    refused('results.channels[].alternatives[].summaries', ANALYSED),
    refused('results.channels[].alternatives[].topics', ANALYSED),
    yes('results.utterances[].start'),
    yes('results.utterances[].end'),
    differs('results.utterances[].confidence', CONFIDENCE),
    yes('results.utterances[].channel'),
    yes('results.utterances[].transcript'),
    yes('results.utterances[].words[].word'),
    yes('results.utterances[].words[].start'),
    yes('results.utterances[].words[].end'),
    yes('results.utterances[].words[].confidence'),
    yes('results.utterances[].words[].punctuated_word'),
    refused('results.utterances[].words[].speaker', ANALYSED),
    refused('results.utterances[].words[].speaker_confidence', ANALYSED),
    refused('results.utterances[].speaker', ANALYSED),
    yes('results.utterances[].id'),
    refused('results.summary', ANALYSED),
    refused('results.topics', ANALYSED),
    refused('results.intents', ANALYSED),
    refused('results.sentiments', ANALYSED),
  ],
};

/** Who may use it, and how a refusal looks. */
const ACCESS: Section = {
  title: 'Keys, tokens and errors',
  rows: [
    yes(
      'Authorization: Token',
      undefined,
      'Also `Bearer`, for keys and tokens; in browsers the subprotocols `["token", key]` and `["bearer", token]`.',
    ),
    differs('POST /v1/auth/grant', '`ttl_seconds` 1–3600. The token is no JWT.'),
    differs('err_code', 'The gateway’s own codes, in capitals, beside `err_msg` and `request_id`.'),
    differs('dg-error', 'Why a handshake is refused; the answer has no body.'),
  ],
};

/** Deepgram's `/v1/listen` and `/v1/auth/grant`. */
export const DEEPGRAM: Protocol = {
  title: 'Deepgram: listen',
  sections: [LIVE, CLIENT, SERVER, RECORDED, ANSWER, ACCESS],
};
