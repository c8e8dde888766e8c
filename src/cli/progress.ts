import cliProgress from 'cli-progress';

/** A bar on standard error, where that is a terminal; nothing elsewhere. */
export interface Progress {
  /** @param total Null where it is not known: then nothing is shown. */
  update(label: string, done: number, total: number | null): void;
  /** Takes the bar away, e.g. to print a line where it stands; the next update brings it back. */
  clear(): void;
}

const NONE: Progress = { update() {}, clear() {} };

/** @param isLong Whether it will take long enough for anyone to want to know. */
export function progressOn(stream: NodeJS.WriteStream, isLong: boolean): Progress {
  if (!stream.isTTY || !isLong) return NONE;
  let bar: cliProgress.SingleBar | null = null;
  return {
    update(label, done, total) {
      if (total === null || total === 0) return;
      if (!bar) {
        bar = new cliProgress.SingleBar({
          stream,
          format: '{label} {bar} {percentage}%',
          barCompleteChar: '█',
          barIncompleteChar: '░',
          barsize: 30,
          hideCursor: true,
          clearOnComplete: true,
        });
        bar.start(total, 0, { label });
      }
      bar.setTotal(total);
      bar.update(Math.min(done, total), { label });
    },
    clear() {
      bar?.stop();
      bar = null;
    },
  };
}
