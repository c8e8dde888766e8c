/** What is told of a request beside its words: which model heard them, and of which audio. */
import type { About, ModelInfo, ResultsMetadata } from './messages.ts';
import { uuidOf } from './uuid.ts';

const modelInfoOf = (model: string): ModelInfo => ({ name: model, version: 'earshot', arch: model });

/** Beside every transcript. */
export const resultsMetadataOf = (requestId: string, model: string): ResultsMetadata => ({
  request_id: requestId,
  model_uuid: uuidOf(model),
  model_info: modelInfoOf(model),
});

/** What there is to know of all the audio of a request. */
export interface Facts {
  readonly requestId: string;
  readonly model: string;
  /** In hexadecimal. */
  readonly sha256: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly durationMs: number;
  readonly channels: number;
  readonly tags: readonly string[];
  readonly extra: Readonly<Record<string, string>>;
}

/** Once for each request. */
export function aboutOf({
  requestId,
  model,
  sha256,
  createdAt,
  durationMs,
  channels,
  tags,
  extra,
}: Facts): About {
  const uuid = uuidOf(model);
  return {
    transaction_key: 'deprecated',
    request_id: requestId,
    sha256,
    created: createdAt,
    duration: durationMs / 1000,
    channels,
    models: [uuid],
    model_info: { [uuid]: modelInfoOf(model) },
    ...(tags.length > 0 && { tags }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}
