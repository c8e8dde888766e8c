/** Signing as in Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, by its own package. */
import { Webhook } from 'standardwebhooks';

const PREFIX = 'whsec_';
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** Whether `text` is a secret to sign with: `whsec_` and the base64 of 24 to 64 bytes. */
export function isSecret(text: string): boolean {
  if (!text.startsWith(PREFIX)) return false;
  const base64 = text.slice(PREFIX.length);
  const bytes = Buffer.from(base64, 'base64');
  // Written out again, since Node reads base64 with errors and says nothing of them.
  return (
    bytes.toString('base64') === base64 &&
    bytes.length >= MIN_SECRET_BYTES &&
    bytes.length <= MAX_SECRET_BYTES
  );
}

/** What is signed. */
export interface Message {
  /** The same for every attempt: receivers tell repetitions by it. Without a full stop. */
  readonly id: string;
  /** When this attempt is made, wall clock; receivers refuse what is more than five minutes off. */
  readonly atMs: number;
  /** The body, as it is sent. */
  readonly body: string;
}

export interface SignatureHeaders extends Readonly<Record<string, string>> {
  readonly 'webhook-id': string;
  /** Whole seconds since the epoch. */
  readonly 'webhook-timestamp': string;
  /** One `v1,<base64>` for each secret, separated by spaces. */
  readonly 'webhook-signature': string;
}

/**
 * The headers that prove where a webhook comes from.
 * @param secrets The present one first, then those that receivers may still hold while secrets rotate.
 */
export function sign(message: Message, secrets: readonly [string, ...string[]]): SignatureHeaders {
  const { id, atMs, body } = message;
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, new Date(atMs), body));
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(atMs / 1000)),
    'webhook-signature': signatures.join(' '),
  };
}

/** For so long a secret goes on signing beside the one that replaced it. */
const ROTATION_MS = 24 * 3_600_000;

/**
 * Which secrets sign now; null where there is none.
 * @param secrets The present one first.
 * @param presentSinceMs Since when the present one is in use, epoch ms.
 */
export function secretsInUse(
  secrets: readonly string[],
  presentSinceMs: number,
  nowMs: number,
): readonly [string, ...string[]] | null {
  const [present, ...earlier] = secrets;
  if (present === undefined) return null;
  return nowMs - presentSinceMs < ROTATION_MS ? [present, ...earlier] : [present];
}
