/**
 * Every setting of the gateway, read once from environment variables and checked before anything starts. The
 * README's table of variables is tested against {@link VARIABLES}.
 */
import { resolve } from 'node:path';
import * as z from 'zod';
import { isCidr } from './webhooks/addresses.ts';
import { isSecret } from './webhooks/signature.ts';

const flag = z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const list = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

const schema = z.object({
  HOST: z
    .string()
    .default('127.0.0.1')
    .describe('The address to listen on. Anything but loopback needs `API_KEYS`.'),
  PORT: whole(0, 65_535).default(8080).describe('The port to listen on; 0 picks a free one.'),
  PUBLIC_URL: z
    .url()
    .optional()
    .describe(
      'How clients reach the gateway, where a proxy stands before it. Unset: taken from the request.',
    ),
  TLS_CERT_FILE: z
    .string()
    .optional()
    .describe('A certificate with its chain, PEM: serves https and wss. Needs `TLS_KEY_FILE`.'),
  TLS_KEY_FILE: z.string().optional().describe('The private key of the certificate, PEM.'),
  API_KEYS: list
    .default([])
    .describe(
      'Comma-separated keys, best 32 random characters each; each is a tenant of its own. Unset: no key is asked for, on loopback only.',
    ),
  ALLOWED_ORIGINS: list
    .default([])
    .describe('Comma-separated origins whose pages may call the gateway, besides its own; `*` for any.'),
  DATA_DIR: z
    .string()
    .default('./data')
    .describe('Where the embedded database, uploads and compiled models are kept.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional()
    .describe('A PostgreSQL to use. Unset: an embedded one under `DATA_DIR`.'),
  STT: z
    .enum(['embedded', 'openai'])
    .default('embedded')
    .describe('The recogniser: Whisper in this process, or any OpenAI-compatible `/audio/transcriptions`.'),
  STT_MODEL: z
    .string()
    .default('whisper-base')
    .describe(
      'With `embedded`: the bundled `whisper-base`, a folder with a Hugging Face Whisper checkpoint, or a Hub id such as `openai/whisper-small`; with `openai`: the model’s name there.',
    ),
  STT_WORKERS: whole(1, 256)
    .optional()
    .describe('With `STT=embedded`: recognition threads. Unset: one per core.'),
  STT_BASE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .optional()
    .describe('With `STT=openai`: the endpoint, e.g. `http://localhost:8000/v1`. Audio is sent there.'),
  STT_API_KEY: z.string().optional().describe('With `STT=openai`: its key.'),
  STT_CONCURRENCY: whole(1, 1024).default(4).describe('With `STT=openai`: requests in flight at a time.'),
  STT_TIMEOUT_MS: whole(1000, HOUR_MS)
    .default(30_000)
    .describe('With `STT=openai`: the longest one request may take.'),
  HF_ENDPOINT: z
    .url()
    .default('https://huggingface.co')
    .describe('Where models named by Hub id are downloaded from.'),
  LLM: z
    .enum(['embedded', 'openai', 'off'])
    .default('embedded')
    .describe('The language model: bundled, any OpenAI-compatible endpoint, or none.'),
  LLM_BASE_URL: z
    .url()
    .default('https://api.openai.com/v1')
    .describe('With `LLM=openai`: the endpoint, e.g. `http://localhost:11434/v1`.'),
  LLM_API_KEY: z.string().optional().describe('With `LLM=openai`: its key.'),
  LLM_MODEL: z
    .string()
    .default('smollm2-135m-instruct')
    .describe('With `embedded`: a bundled model or a folder; with `openai`: the model’s name there.'),
  LLM_CONTEXT_TOKENS: whole(512, 10_000_000)
    .default(8192)
    .describe('With `LLM=openai`: how many tokens the model’s context holds.'),
  LLM_TIMEOUT_MS: whole(1000, HOUR_MS).default(60_000).describe('The longest one answer may take.'),
  LLM_STALL_MS: whole(500, HOUR_MS)
    .default(30_000)
    .describe('The longest wait for the first token, and between two.'),
  WEBHOOK_SECRET: list
    .default([])
    .describe(
      'Signs webhooks (Standard Webhooks): `whsec_` and 24–64 random bytes in base64. To change it, put the new one before the old, separated by a comma: both sign for 24 hours. Unset: sessions with a webhook are refused.',
    ),
  WEBHOOK_ALLOW_CIDRS: list
    .default([])
    .describe(
      'Comma-separated networks that webhooks and audio by URL may reach besides the public internet, e.g. `10.0.0.0/8`; there `http` is possible too.',
    ),
  ROLES: list
    .default(['gateway', 'worker'])
    .describe(
      'What this node does: `gateway` serves clients and live speech, `worker` transcribes recordings and delivers webhooks.',
    ),
  NATS_URL: z
    .string()
    .optional()
    .describe(
      'A NATS server through which nodes tell each other what is said now, e.g. `nats://nats:4222`. Unset: they use PostgreSQL (LISTEN/NOTIFY).',
    ),
  SPOOL_MAX_BYTES: whole(MIB, 64 * 1024 * MIB)
    .default(256 * MIB)
    .describe('How much may wait on disk under `DATA_DIR` while the database is away.'),
  RESUME_WINDOW_MS: whole(0, HOUR_MS)
    .default(60_000)
    .describe('How long a live session waits for a client that lost its connection.'),
  IDLE_MS: whole(1000, HOUR_MS)
    .default(30_000)
    .describe('How long a connected client may send nothing before its session is ended.'),
  MAX_SESSION_MS: whole(10_000, 24 * HOUR_MS)
    .default(4 * HOUR_MS)
    .describe('The most audio one live session takes.'),
  MAX_RECORDING_MS: whole(10_000, 48 * HOUR_MS)
    .default(12 * HOUR_MS)
    .describe('The most audio one recording may hold.'),
  MAX_FRAME_BYTES: whole(1024, 16 * MIB)
    .default(256 * 1024)
    .describe('The largest WebSocket message.'),
  MAX_UPLOAD_BYTES: whole(1024, 64 * 1024 * MIB)
    .default(1024 * MIB)
    .describe('The largest recording.'),
  MAX_LIVE_SESSIONS: whole(1, 100_000)
    .default(64)
    .describe('Live sessions at a time; more are refused with `overloaded`.'),
  MAX_QUEUED_RECORDINGS: whole(1, 1_000_000)
    .default(1000)
    .describe('Recordings waiting to be transcribed; more are refused with `overloaded`.'),
  RETENTION_HOURS: whole(0, 87_600)
    .default(0)
    .describe('How long ended sessions are kept; 0 for ever. Audio is never kept after its transcript.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('How much is logged, as JSON lines on standard output.'),
  METRICS: flag.default(true).describe('Whether `/metrics` is served.'),
});

/** The settings, by the names of their variables; `DATA_DIR` is absolute. */
export type Config = Readonly<z.output<typeof schema>>;

/** Every variable with its default as text and what it means, for the README and `--help`. */
export const VARIABLES: readonly { name: string; fallback: string; meaning: string }[] = Object.entries(
  schema.shape,
).map(([name, field]) => {
  const fallback: unknown = field.safeParse(undefined).data;
  const shown = Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? '');
  return { name, fallback: shown, meaning: field.description ?? '' };
});

/** The environment cannot be run with. The message lists every variable at fault. */
export class ConfigError extends Error {
  constructor(faults: readonly string[]) {
    super(`The configuration cannot be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Whether an address is reached from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

/**
 * Reads the settings. Empty variables count as unset, as they do in compose files.
 * @throws ConfigError
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (env[name]?.trim() ? [[name, env[name].trim()]] : [])),
  );
  const { data, error } = schema.safeParse(given);
  if (error) throw new ConfigError(error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));

  const faults: string[] = [];
  if (data.API_KEYS.length === 0 && !isLoopback(data.HOST))
    faults.push(`HOST: ${data.HOST} can be reached from outside; set API_KEYS first, or use 127.0.0.1`);
  if (data.API_KEYS.some((key) => key.startsWith('ek_')))
    faults.push('API_KEYS: a key must not begin with ek_, which marks short-lived tokens');
  if ((data.TLS_CERT_FILE === undefined) !== (data.TLS_KEY_FILE === undefined))
    faults.push('TLS_CERT_FILE: a certificate and its key, TLS_KEY_FILE, go together');
  if (data.STT === 'openai') {
    if (!data.STT_BASE_URL)
      faults.push(
        'STT_BASE_URL: STT=openai needs the address of an endpoint, such as https://api.openai.com/v1',
      );
    if (!given.STT_MODEL) faults.push('STT_MODEL: STT=openai needs the name of a model of the endpoint');
  }
  if (data.WEBHOOK_SECRET.some((secret) => !isSecret(secret)))
    faults.push(
      `WEBHOOK_SECRET: must be whsec_ and 24 to 64 random bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"`,
    );
  for (const cidr of data.WEBHOOK_ALLOW_CIDRS)
    if (!isCidr(cidr))
      faults.push(`WEBHOOK_ALLOW_CIDRS: ${cidr} is no network such as 10.0.0.0/8 or fd00::/8`);
  for (const role of data.ROLES)
    if (role !== 'gateway' && role !== 'worker')
      faults.push(`ROLES: there is no role ${role}; gateway and worker there are`);
  if (data.ROLES.length < 2 && !data.DATABASE_URL)
    faults.push('ROLES: a node alone does all the work; to share it, set DATABASE_URL');
  if (faults.length > 0) throw new ConfigError(faults);
  return { ...data, DATA_DIR: resolve(data.DATA_DIR) };
}
