/**
 * Receives webhooks: checks the signature, stores each session once, and says 2xx only when it is stored.
 *
 *     WEBHOOK_SECRET=whsec_… npx tsx examples/callback-receiver.ts sessions.jsonl
 *
 * A webhook may come twice, also after it was taken: its `webhook-id` tells. PORT is 9090 unless it is set.
 */
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

/** The largest body that is read; a session of an hour has some hundred kilobytes. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

interface Notification {
  readonly type: 'session.done' | 'session.failed';
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly text: string;
    readonly error: { readonly code: string } | null;
  };
}

const { WEBHOOK_SECRET: secret, PORT: port = '9090' } = process.env;
const path = process.argv[2] ?? 'sessions.jsonl';
if (!secret) {
  console.error('Set WEBHOOK_SECRET to the secret of the gateway.');
  process.exit(1);
}
const webhook = new Webhook(secret);

/** What was stored by an earlier run counts too. */
const stored = new Set<string>(
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { webhookId: string }).webhookId)
    : [],
);
const file: FileHandle = await open(path, 'a');
let writing: Promise<unknown> = Promise.resolve();

/** One after the other, so that a webhook that comes twice at once is stored once. */
function store(webhookId: string, notification: Notification): Promise<void> {
  const written = writing.then(async () => {
    if (stored.has(webhookId)) return;
    await file.appendFile(`${JSON.stringify({ webhookId, ...notification })}\n`);
    await file.datasync();
    stored.add(webhookId);
    const { id, text, error } = notification.data;
    console.log(`${id}: ${error ? `failed, ${error.code}` : text}`);
  });
  writing = written.catch(() => {});
  return written;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError('the body is too large');
    chunks.push(chunk);
  }
  // As it came: the signature is over these bytes, not over what JSON makes of them.
  return Buffer.concat(chunks).toString('utf8');
}

const server = createServer(async (request, response) => {
  try {
    const body = await bodyOf(request);
    const headers = request.headers as Record<string, string>;
    const notification = webhook.verify(body, headers) as Notification;
    await store(headers['webhook-id']!, notification);
    response.writeHead(204).end();
  } catch (error) {
    // What cannot be verified never will be; everything else may pass, and is sent again.
    response.writeHead(error instanceof WebhookVerificationError ? 401 : 500).end();
    if (!(error instanceof WebhookVerificationError)) console.error(error);
  }
});
server.listen(Number(port), '127.0.0.1', () => {
  const { port: listening } = server.address() as { port: number };
  console.log(`listening at http://127.0.0.1:${listening}/`);
});
