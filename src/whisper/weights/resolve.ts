import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ModelError } from '../../models/model-error.ts';
import { fetchFromHub, type HubOptions, parseHubId } from './hub.ts';

export interface ModelSources {
  /** The folder of the models that come with the project. */
  readonly bundledFolder: string;
  readonly hub: HubOptions;
}

/**
 * Finds the model that a setting names: a bundled one by name, a folder, or a model on the Hub (`owner/name` or
 * `owner/name@revision`), which is fetched first. A folder wins over a model of the same name on the Hub.
 *
 * @returns The folder with the checkpoint.
 * @throws ModelError saying what there is instead.
 */
export async function resolveModel(named: string, { bundledFolder, hub }: ModelSources): Promise<string> {
  const bundled = await bundledModels(bundledFolder);
  if (bundled.includes(named)) return join(bundledFolder, named);
  const folder = resolve(named);
  if (await isFolder(folder)) return folder;

  const choices = `the bundled ${bundled.join(' or ')}, or a folder with a Whisper checkpoint in Hugging Face's layout`;
  const id = parseHubId(named);
  if (!id)
    throw new ModelError(
      'missing',
      `${named} is neither a bundled model nor a folder nor the name of a model on the Hub (owner/name). Use ${choices}`,
    );
  try {
    return await fetchFromHub(id, hub);
  } catch (error) {
    if (!(error instanceof ModelError) || error.reason !== 'unreachable') throw error;
    throw new ModelError(
      'unreachable',
      `${named} could not be fetched, because the model hub is out of reach (${error.message}). ` +
        `What has arrived is kept for the next try. Without the Hub, use ${choices}`,
      error,
    );
  }
}

/** Bundled folders that hold a Whisper: others hold other kinds of models. */
async function bundledModels(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  return names.filter((name) => name.startsWith('whisper-')).sort();
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
