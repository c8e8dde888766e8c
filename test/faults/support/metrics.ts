/** What a gateway tells of itself at `/metrics`. */

/** The value of one of its gauges, named without the prefix. @throws where there is none of that name. */
export async function gauge(url: string, name: string): Promise<number> {
  // A connection that is kept may be closed by the other side just when it is used again.
  const headers = { connection: 'close' };
  const text = await (await fetch(new URL('/metrics', url), { headers })).text();
  const line = new RegExp(`^earshot_${name} (\\S+)$`, 'm').exec(text);
  if (!line) throw new Error(`there is no gauge ${name}`);
  return Number(line[1]);
}

/** Bytes of memory that the process holds. */
export const residentBytes = (url: string): Promise<number> => gauge(url, 'process_resident_memory_bytes');

/** The highest value that `read` gives, every so often, until `work` is done. */
export async function peakDuring(work: Promise<unknown>, read: () => Promise<number>): Promise<number> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let peak = await read();
  while (!isDone) {
    peak = Math.max(peak, await read());
    await Promise.race([done.catch(() => {}), new Promise((resolve) => setTimeout(resolve, 250))]);
  }
  await done;
  return peak;
}
