/** Fetches a Whisper checkpoint from the Hugging Face Hub, or a mirror of it, once. */
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeManifest } from '../../models/manifest.ts';
import { ModelError } from '../../models/model-error.ts';
import { WEIGHTS, WEIGHTS_INDEX, weightFiles } from './checkpoint.ts';
import { download, type RemoteFile } from './download.ts';
import { get, persist, type RequestOptions } from './request.ts';

/** A model's name on the Hub. */
export interface HubId {
  readonly owner: string;
  readonly name: string;
  /** A branch, tag or commit. */
  readonly revision: string;
}

export interface DownloadProgress {
  /** Of all files together. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface HubOptions extends RequestOptions {
  /** Where models are kept, each in a folder of its own. */
  readonly folder: string;
  /** E.g. `https://huggingface.co`. */
  readonly endpoint: string;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

const DEFAULT_REVISION = 'main';

/** Reads `owner/name` or `owner/name@revision`; null where it is neither. */
export function parseHubId(text: string): HubId | null {
  const part = '[A-Za-z0-9_][A-Za-z0-9._-]*';
  const match = new RegExp(`^(${part})/(${part})(?:@(${part}(?:/${part})*))?$`).exec(text);
  return match && { owner: match[1]!, name: match[2]!, revision: match[3] ?? DEFAULT_REVISION };
}

const listingSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{7,64}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.int().nonnegative().nullish(),
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.hex().length(64), size: z.int().nonnegative() }).nullish(),
    }),
  ),
});
type Listing = z.output<typeof listingSchema>;

const REQUIRED = ['config.json', 'tokenizer.json'];
const OPTIONAL = ['generation_config.json', 'tokenizer_config.json'];

/**
 * Gives the folder of a model, having fetched it where it is not there yet. What has arrived stays when a
 * download breaks off, and is not fetched again. A model that is there is used as it is, without asking the Hub.
 *
 * @throws ModelError `unreachable`, `missing`, `damaged`, or `unsupported` where a model has no safetensors.
 */
export async function fetchFromHub(id: HubId, options: HubOptions): Promise<string> {
  const { owner, name, revision } = id;
  const suffix = revision === DEFAULT_REVISION ? '' : `@${revision.replaceAll('/', '--')}`;
  const folder = join(options.folder, owner, name + suffix);
  if (await exists(folder)) return folder;

  const listing = await list(id, options);
  // Of one commit, so that an interrupted download never goes on with another one's files.
  const partial = `${folder}.partial-${listing.sha.slice(0, 12)}`;
  await mkdir(partial, { recursive: true });
  const files = await fetchFiles(id, listing, partial, options);
  await writeManifest(partial, files);
  await rename(partial, folder).catch(async (error) => {
    if (!(await exists(folder))) throw error;
    await rm(partial, { recursive: true, force: true });
  });
  return folder;
}

async function list({ owner, name, revision }: HubId, options: HubOptions): Promise<Listing> {
  const { endpoint } = options;
  const url = `${base(options)}/api/models/${owner}/${name}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await persist(endpoint, options, () =>
    get(url, {}, options, ({ response }) => response.text()),
  ).catch((error) => {
    if (!(error instanceof ModelError) || error.reason !== 'missing') throw error;
    const message = `There is no model ${owner}/${name} (revision ${revision}) at ${endpoint}, or it is not public`;
    throw new ModelError('missing', message, error);
  });
  try {
    return listingSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new ModelError('unreachable', `${endpoint} does not answer as a model hub does`, error);
  }
}

/** Fetches what a Whisper needs, and gives the files' names. */
async function fetchFiles(
  id: HubId,
  listing: Listing,
  folder: string,
  options: HubOptions,
): Promise<string[]> {
  const present = new Set(listing.siblings.map(({ rfilename }) => rfilename));
  const lacking = REQUIRED.find((file) => !present.has(file));
  if (lacking) throw new ModelError('unsupported', `${id.owner}/${id.name} has no ${lacking}`);
  const weights = present.has(WEIGHTS) ? WEIGHTS : WEIGHTS_INDEX;
  if (!present.has(weights))
    throw new ModelError('unsupported', `${id.owner}/${id.name} has no weights in safetensors`);

  const received = new Map<string, number>();
  const sizes = new Map(listing.siblings.map((file) => [file.rfilename, file.lfs?.size ?? file.size ?? 0]));
  let wanted = [...REQUIRED, ...OPTIONAL.filter((file) => present.has(file)), weights];
  const fetchOne = async (file: string): Promise<void> => {
    const report = (receivedBytes: number) => {
      received.set(file, receivedBytes);
      options.onProgress?.({
        receivedBytes: [...received.values()].reduce((a, b) => a + b, 0),
        totalBytes: wanted.reduce((sum, each) => sum + (sizes.get(each) ?? 0), 0),
      });
    };
    const path = join(folder, file);
    if (!(await exists(path)))
      await download(remoteFile(id, listing, file, options), path, { ...options, onReceived: report });
    report(sizes.get(file) ?? 0);
  };
  for (const file of wanted) await fetchOne(file);
  const shards = (await weightFiles(folder)).filter((file) => !wanted.includes(file));
  wanted = [...wanted, ...shards];
  for (const file of shards) await fetchOne(file);
  return wanted;
}

function remoteFile({ owner, name }: HubId, listing: Listing, file: string, options: HubOptions): RemoteFile {
  const entry = listing.siblings.find(({ rfilename }) => rfilename === file);
  if (!entry) throw new ModelError('damaged', `${owner}/${name} lacks ${file}, which its index names`);
  const { lfs, blobId } = entry;
  const git = blobId && /^[0-9a-f]{40}$/.test(blobId) ? ({ kind: 'git', hex: blobId } as const) : null;
  return {
    url: `${base(options)}/${owner}/${name}/resolve/${listing.sha}/${file}`,
    bytes: lfs?.size ?? entry.size ?? null,
    hash: lfs ? { kind: 'sha256', hex: lfs.sha256 } : git,
  };
}

const base = ({ endpoint }: HubOptions): string => endpoint.replace(/\/+$/, '');

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
