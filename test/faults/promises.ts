/** What docs/reliability.md promises, each with the test that holds it: its table is made of this. */

export interface Promised {
  /** By which results are kept: `A1`, or `A1 postgres` where each database has its own. */
  readonly id: string;
  readonly promise: string;
  /** Files under test/. */
  readonly tests: readonly string[];
}

export interface Chapter {
  readonly title: string;
  readonly promises: readonly Promised[];
}

export const CHAPTERS: readonly Chapter[] = [
  {
    title: 'Sessions and jobs',
    promises: [
      {
        id: 'A1',
        promise:
          'No job is lost and none gets stuck, however often the process is killed: each ends SENT or FAILED (DONE without a webhook), and is delivered at least once with one `webhook-id` and one body.',
        tests: ['faults/kills.test.ts'],
      },
      {
        id: 'A2',
        promise:
          'A job whose process was killed is taken up again as soon as a worker is free, within 60 s at most; within 5 s of the start where the database is embedded.',
        tests: ['faults/kills.test.ts', 'gateway/two-nodes.test.ts'],
      },
      {
        id: 'A3',
        promise: 'A worker that was stopped past its claim and goes on writes nothing.',
        tests: ['faults/fencing.test.ts', 'store/store.test.ts'],
      },
      {
        id: 'A4',
        promise:
          'A result, the state it leads to and the delivery it causes are stored together or not at all.',
        tests: ['faults/outbox.test.ts'],
      },
      {
        id: 'A5',
        promise: 'A session moves along its states only, and leaves SENT only where somebody asks for it.',
        tests: ['faults/model.test.ts', 'domain/session.test.ts'],
      },
      {
        id: 'A6',
        promise: 'A recording over which five processes died is FAILED; the others finish.',
        tests: ['faults/poison.test.ts'],
      },
      {
        id: 'A7',
        promise:
          'A hundred requests at once with one `Idempotency-Key` make one session; the key for another request is refused.',
        tests: ['http/idempotency.test.ts', 'faults/lost-answers.test.ts', 'store/store.test.ts'],
      },
      {
        id: 'A8',
        promise:
          'One process owns an embedded data folder; a second one ends and names it, and takes over where it is dead.',
        tests: ['store/owner-lock.test.ts', 'gateway/process.test.ts'],
      },
    ],
  },
  {
    title: 'Webhooks',
    promises: [
      {
        id: 'B10',
        promise:
          'What is sent verifies with the library of Standard Webhooks; a changed byte or five minutes do not.',
        tests: ['webhooks/signature.test.ts', 'http/webhooks.test.ts'],
      },
      {
        id: 'B11',
        promise: 'While a secret is replaced, both sign for 24 hours.',
        tests: ['webhooks/signature.test.ts', 'http/webhooks.test.ts'],
      },
      {
        id: 'B12',
        promise:
          'Ten attempts: at once, after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, ± 20 %.',
        tests: ['webhooks/schedule.test.ts'],
      },
      {
        id: 'B13',
        promise:
          'Only 2xx counts; redirects are not followed; 410 ends it; `Retry-After` is honoured; whatever a receiver does, an attempt ends within 15 s and reads 64 KB at most.',
        tests: ['webhooks/send.test.ts', 'webhooks/schedule.test.ts'],
      },
      {
        id: 'B14',
        promise: 'A receiver that hangs for ever does not hold up the others.',
        tests: ['faults/delays.test.ts', 'jobs/delivery.test.ts'],
      },
      {
        id: 'B15',
        promise:
          'A receiver that fails for five days is sent nothing more; one session, or all given up since an instant, can be asked for again.',
        tests: ['store/store.test.ts', 'http/webhooks.test.ts'],
      },
      {
        id: 'B16',
        promise: 'Each attempt is kept: status, duration, the first KB of the answer; never a secret.',
        tests: ['http/webhooks.test.ts', 'store/store.test.ts'],
      },
      {
        id: 'B17',
        promise:
          'No connection is made to an address that is not allowed, however it is written or resolved, neither for webhooks nor for audio by URL.',
        tests: ['webhooks/addresses.test.ts', 'webhooks/fetch-audio.test.ts', 'http/audio-url.test.ts'],
      },
    ],
  },
  {
    title: 'Streams of events',
    promises: [
      {
        id: 'C18',
        promise:
          'A stream that is cut and resumed is the log, without a gap and without a repeat, also over restarts.',
        tests: ['faults/sse-cuts.test.ts', 'session/follow.test.ts'],
      },
      {
        id: 'C19',
        promise: 'A cursor whose events are no longer kept is told so by `reset`.',
        tests: ['faults/sse-cuts.test.ts', 'store/store.test.ts'],
      },
      {
        id: 'C20',
        promise:
          'Streams begin at once, are never silent for longer than 15 s, and are not buffered by proxies.',
        tests: ['faults/delays.test.ts', 'http/events.test.ts'],
      },
      {
        id: 'C21',
        promise: 'A reader that stalls is dropped and resumes; the others do not notice.',
        tests: ['faults/stalls.test.ts', 'faults/delays.test.ts', 'http/sse.test.ts'],
      },
      {
        id: 'C22',
        promise:
          'Browsers are let in by a token that lives for seconds to minutes and opens one session; what belongs to another tenant is not there.',
        tests: ['http/access.test.ts', 'http/sessions.test.ts'],
      },
    ],
  },
  {
    title: 'Live audio',
    promises: [
      {
        id: 'D23',
        promise:
          'A session that is cut, silenced or half-opened at any moment and resumed within the window, on any node, has the finals of one that was not.',
        tests: ['faults/cuts.test.ts', 'http/resume.test.ts', 'gateway/two-nodes.test.ts'],
      },
      {
        id: 'D24',
        promise: 'A second connection closes the first with 4409, on any node.',
        tests: ['faults/sockets.test.ts', 'gateway/two-nodes.test.ts'],
      },
      {
        id: 'D25',
        promise:
          'A final that was sent is stored: after `kill -9` it is there, and the client is told where to go on.',
        tests: ['gateway/main-path.test.ts'],
      },
      {
        id: 'D26',
        promise:
          'Frames, idleness and length have limits, each with its own code and a word before it; a dead peer is found out.',
        tests: ['faults/sockets.test.ts', 'http/stream.test.ts'],
      },
      {
        id: 'D27',
        promise: 'Thousands of broken handshakes leave the gateway as it was.',
        tests: ['faults/sockets.test.ts'],
      },
      {
        id: 'D28',
        promise: 'A browser on a page of a foreign origin is not let in.',
        tests: ['http/access.test.ts'],
      },
      {
        id: 'D29',
        promise:
          'A token lives for 60 s unless told otherwise, opens its one session, and is of no use afterwards.',
        tests: ['http/access.test.ts', 'store/store.test.ts'],
      },
      {
        id: 'D30',
        promise:
          'A session closes after its last final is stored, with a receipt that accounts for every millisecond received.',
        tests: ['faults/cuts.test.ts', 'http/stream.test.ts'],
      },
    ],
  },
  {
    title: 'Shutdown and outages',
    promises: [
      {
        id: 'G38',
        promise:
          'SIGTERM: what is being said is stored, clients are told to resume elsewhere (1012), recordings are handed back, and the process ends with 0 within 30 s.',
        tests: ['faults/shutdown.test.ts'],
      },
      {
        id: 'G39',
        promise:
          'While the database is away, live transcription goes on; what is to be stored waits on disk and is written afterwards, in order and once, also after `kill -9`.',
        tests: ['faults/outage.test.ts', 'store/spool.test.ts', 'store/spooled-log.test.ts'],
      },
      {
        id: 'G40',
        promise:
          'A disk that is full refuses recordings as such (507); who speaks is heard on, and nothing is lost.',
        tests: ['faults/disk-full.test.ts', 'store/spooled-log.test.ts'],
      },
      {
        id: 'G41',
        promise:
          'A language model that stalls, breaks off or fails is told as such, and the transcript is there all the same.',
        tests: ['llm/openai.test.ts', 'http/answers.test.ts'],
      },
      {
        id: 'G42',
        promise:
          'A gateway that is used while all kinds of things fail holds no more memory and no more files in the end than at first.',
        tests: ['faults/soak.test.ts'],
      },
    ],
  },
];
