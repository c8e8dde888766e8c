/** Live speech: one speaker at a time, then more and more at once. */
import { seeded } from '../../test/support/audio.ts';
import type { Clip } from '../audio/clips.ts';
import { compose, enoughClips, type Script } from '../audio/script.ts';
import { measureSession, type SessionMeasures } from '../measure/session.ts';
import { percentile, type Summary, sum, summarise } from '../measure/statistics.ts';
import { pooled, rateOf, type WordErrors } from '../measure/words.ts';
import { metered, type Usage } from './meter.ts';
import { type Playback, playScript } from './speaker.ts';

/** What was measured over some sessions. */
export interface LiveMeasures {
  /** Null where no utterance had a partial before its final. */
  readonly firstPartialMs: Summary | null;
  readonly finalMs: Summary | null;
  readonly partialsPerFinal: Summary | null;
  readonly partialAgeMs: Summary | null;
  readonly wordErrorRate: number;
  readonly wordErrors: WordErrors;
  readonly editsPerFinalWord: number;
  readonly invented: number;
}

/** The same with what it cost. */
export interface LiveRun extends LiveMeasures {
  readonly speakers: number;
  readonly cpuPerAudioSecond: number;
  readonly loopDelayP99Ms: number;
  readonly otherCores: number;
  /** 99 of 100 chunks were sent no later than this. */
  readonly sentLateP99Ms: number;
}

export interface SingleSpeaker extends LiveRun {
  readonly byClip: ReadonlyMap<string, LiveMeasures>;
  readonly misheard: readonly Misheard[];
}

/** What was heard where it was not what was said. */
export interface Misheard {
  readonly clip: string;
  readonly heard: string;
  readonly times: number;
}

/** Longer than the endpointing, so that every clip is an utterance of its own. */
const PAUSE_MS = 1000;

interface Session {
  readonly playback: Playback;
  readonly measures: SessionMeasures;
}

async function speak(script: Script, url: string): Promise<Session> {
  const playback = await playScript(script, url);
  return { playback, measures: measureSession(script, playback.arrivals) };
}

/** Each clip `runs` times in a session of its own, one after the other. */
export async function oneSpeaker(
  clips: readonly Clip[],
  runs: number,
  seed: number,
  url: string,
): Promise<SingleSpeaker> {
  const random = seeded(seed);
  const byClip = new Map<string, Session[]>(clips.map(({ name }) => [name, []]));
  const { usage } = await metered(url, async () => {
    for (let run = 0; run < runs; run++)
      for (const clip of clips) {
        // Speech begins at a different place in the frames and chunks each time.
        const timing = { leadMs: Math.round(300 + 500 * random()), pauseMs: PAUSE_MS };
        byClip.get(clip.name)!.push(await speak(compose([clip], timing), url));
      }
  });
  return {
    ...liveRun(1, [...byClip.values()].flat(), usage),
    byClip: new Map([...byClip].map(([name, sessions]) => [name, measuresOf(sessions)])),
    misheard: [...byClip].flatMap(([clip, sessions]) => misheardIn(clip, sessions)),
  };
}

function misheardIn(clip: string, sessions: readonly Session[]): Misheard[] {
  const times = new Map<string, number>();
  for (const { measures } of sessions)
    if (measures.words.errors > 0) times.set(measures.heard, (times.get(measures.heard) ?? 0) + 1);
  return [...times].map(([heard, count]) => ({ clip, heard, times: count }));
}

/**
 * So many speakers at once, each with clips in an order of their own and a second's pause between them.
 * @throws Error where a session of one of them is refused or fails, once all have ended.
 */
export async function manySpeakers(
  clips: readonly Clip[],
  speakers: number,
  lengthMs: number,
  seed: number,
  url: string,
): Promise<LiveRun> {
  const scripts = Array.from({ length: speakers }, (_, speaker) => {
    const random = seeded(seed * 1000 + speaker);
    // Not all begin at once: they would pause at once, too.
    const timing = { leadMs: Math.round(300 + 3000 * random()), pauseMs: PAUSE_MS };
    return compose(enoughClips(clips, lengthMs, PAUSE_MS, random), timing);
  });
  const { result, usage } = await metered(url, () =>
    Promise.allSettled(scripts.map((script) => speak(script, url))),
  );
  const failed = result.find((session) => session.status === 'rejected');
  if (failed) throw failed.reason;
  const sessions = result.filter((session) => session.status === 'fulfilled').map(({ value }) => value);
  return liveRun(speakers, sessions, usage);
}

function liveRun(speakers: number, sessions: readonly Session[], usage: Usage): LiveRun {
  const audioSeconds = sum(sessions.map(({ playback }) => playback.sentMs)) / 1000;
  return {
    ...measuresOf(sessions),
    speakers,
    cpuPerAudioSecond: usage.cpuSeconds / audioSeconds,
    loopDelayP99Ms: usage.loopDelayP99Ms,
    otherCores: usage.otherCores,
    sentLateP99Ms: percentile(
      sessions.flatMap(({ playback }) => playback.latenessMs),
      99,
    ),
  };
}

function measuresOf(sessions: readonly Session[]): LiveMeasures {
  const utterances = sessions.flatMap(({ measures }) => measures.utterances);
  const words = pooled(sessions.map(({ measures }) => measures.words));
  return {
    firstPartialMs: summarise(
      utterances.flatMap(({ firstPartialMs }) => (firstPartialMs === null ? [] : [firstPartialMs])),
    ),
    finalMs: summarise(utterances.map(({ finalMs }) => finalMs)),
    partialsPerFinal: summarise(utterances.map(({ partials }) => partials)),
    partialAgeMs: summarise(utterances.flatMap(({ partialAgesMs }) => partialAgesMs)),
    wordErrorRate: rateOf(words),
    wordErrors: words,
    editsPerFinalWord:
      sum(utterances.map(({ edits }) => edits)) / sum(utterances.map(({ finalWords }) => finalWords)),
    invented: sum(sessions.map(({ measures }) => measures.invented)),
  };
}
