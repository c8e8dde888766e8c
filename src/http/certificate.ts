/** What the gateway shows to clients that come over TLS. */
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type Config, ConfigError } from '../config.ts';

/** Both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate that the settings name; null where they name none.
 * @throws ConfigError where a file cannot be read, or the two do not belong together.
 */
export async function readCertificate(
  config: Pick<Config, 'TLS_CERT_FILE' | 'TLS_KEY_FILE'>,
): Promise<Certificate | null> {
  const { TLS_CERT_FILE, TLS_KEY_FILE } = config;
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) return null;
  const [cert, key] = await Promise.all([
    read('TLS_CERT_FILE', TLS_CERT_FILE),
    read('TLS_KEY_FILE', TLS_KEY_FILE),
  ]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new ConfigError([`TLS_CERT_FILE: it cannot be used with its key: ${(error as Error).message}`]);
  }
  return { cert, key };
}

async function read(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    throw new ConfigError([`${name}: ${path} cannot be read`]);
  }
}
