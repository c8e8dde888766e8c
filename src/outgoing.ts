/** What the gateway dials by itself, as the settings allow: receivers of webhooks, and audio by URL. */
import { createHash } from 'node:crypto';
import type { Config } from './config.ts';
import { Failure } from './domain/failure.ts';
import type { Clock } from './flow/clock.ts';
import type { WebhookAbility } from './http/options.ts';
import type { DeliveryParts } from './jobs/delivery.ts';
import type { UploadsParts } from './jobs/uploads.ts';
import type { DeliveryStore } from './store/store.ts';
import { addressRule, checkUrl } from './webhooks/addresses.ts';
import { fetchAudio, mayPass } from './webhooks/fetch-audio.ts';
import { sendWebhook } from './webhooks/send.ts';
import { secretsInUse, sign } from './webhooks/signature.ts';

/** The longest that fetching a recording may take. */
const FETCH_TIMEOUT_MS = 30 * 60_000;

export interface Outgoing extends Pick<UploadsParts, 'fetch' | 'mayPass'>, Pick<DeliveryParts, 'send'> {
  readonly webhooks: WebhookAbility;
  /** @throws Failure `address_not_allowed` */
  readonly checkAddress: (url: string) => void;
}

/** @param deliveries Knows since when the present secret is in use. */
export async function outgoingOf(
  config: Config,
  clock: Clock,
  deliveries: Pick<DeliveryStore, 'secretSince'>,
): Promise<Outgoing> {
  const rule = addressRule(config.WEBHOOK_ALLOW_CIDRS);
  const parts = { rule, clock };
  const checkAddress = (url: string): void => {
    checkUrl(url, rule);
  };
  const [present] = config.WEBHOOK_SECRET;
  const sinceMs = present === undefined ? 0 : await deliveries.secretSince(sha256(present));
  return {
    checkAddress,
    webhooks: {
      check(url) {
        if (present === undefined)
          throw new Failure(
            'unsupported_option',
            'webhook: this node has no secret to sign with; its operator can set WEBHOOK_SECRET.',
          );
        checkAddress(url);
      },
    },
    mayPass,
    async fetch(url, path, signal) {
      const limits = { maxBytes: config.MAX_UPLOAD_BYTES, timeoutMs: FETCH_TIMEOUT_MS };
      await fetchAudio(url, path, limits, parts, signal);
    },
    async send({ id, url, body }, signal) {
      const atMs = clock.now();
      const secrets = secretsInUse(config.WEBHOOK_SECRET, sinceMs, atMs);
      // Sessions that were made while there was a secret, on a node that has none any more.
      if (secrets === null)
        return { status: null, durationMs: 0, error: 'no_secret', response: '', retryAfterMs: null };
      return await sendWebhook({ url, body, headers: sign({ id, atMs, body }, secrets) }, parts, signal);
    },
  };
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
