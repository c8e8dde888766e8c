/** Who may do what: API keys make tenants, `ek_` tokens open one session to a browser, loopback needs neither. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { Clock } from '../flow/clock.ts';
import type { Grant, TokenStore } from '../store/store.ts';

/** On whose behalf a request is made. */
export type Caller =
  /** A backend with a key, or anybody on loopback where no keys are set: all of a tenant's sessions. */
  | { readonly kind: 'tenant'; readonly tenantId: string }
  /** A browser with a token: one session's stream and events. */
  | { readonly kind: 'token'; readonly tenantId: string; readonly sessionId: string };

/** The tenant of a gateway without keys. */
const LOCAL_TENANT = 'local';

/** Marks short-lived tokens, and tells them from keys. */
const TOKEN_PREFIX = 'ek_';

export interface AccessParts {
  readonly apiKeys: readonly string[];
  readonly tokens: TokenStore;
  readonly clock: Clock;
  /** `count` random bytes. */
  readonly random: (count: number) => Uint8Array;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

export class Access {
  readonly #parts: AccessParts;
  readonly #tenants: readonly { readonly keyHash: Buffer; readonly tenantId: string }[];

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#tenants = parts.apiKeys.map((key) => {
      const keyHash = sha256(key);
      return { keyHash, tenantId: `key_${keyHash.toString('hex').slice(0, 16)}` };
    });
  }

  /**
   * Who presents this credential. Keys are compared by their hashes, all of them, in constant time.
   * @param credential A key or token; null where none came with the request.
   * @throws Failure `unauthorized`
   */
  async identify(credential: string | null): Promise<Caller> {
    if (credential?.startsWith(TOKEN_PREFIX)) return await this.#openToken(credential);
    if (this.#tenants.length === 0) return { kind: 'tenant', tenantId: LOCAL_TENANT };
    if (credential === null)
      throw new Failure(
        'unauthorized',
        'This gateway asks for a key: send it as "Authorization: Bearer <key>".',
      );
    const hash = sha256(credential);
    let found: string | null = null;
    for (const { keyHash, tenantId } of this.#tenants) if (timingSafeEqual(hash, keyHash)) found = tenantId;
    if (found === null) throw new Failure('unauthorized', 'The key is not known here.');
    return { kind: 'tenant', tenantId: found };
  }

  /**
   * Who presents this credential to a face that speaks another vendor's protocol: a key as above, or a token from
   * {@link grant}. A token for one session is of no use there.
   * @returns The tenant, and what was laid down for the session when the token was asked for; null for nothing.
   * @throws Failure `unauthorized`
   */
  async admit(credential: string | null): Promise<Grant> {
    if (!credential?.startsWith(TOKEN_PREFIX)) {
      const { tenantId } = await this.identify(credential);
      return { tenantId, settings: null };
    }
    const { tokens, clock } = this.#parts;
    const grant = await tokens.findGrant(sha256(credential).toString('hex'), clock.now());
    if (!grant) throw unknownToken();
    return grant;
  }

  /** A new token that opens sessions of a tenant until it expires. It is shown once. */
  async grant(grant: Grant, ttlSeconds: number): Promise<{ token: string; expiresAtMs: number }> {
    const { tokens, clock } = this.#parts;
    const token = this.#newToken();
    const expiresAtMs = clock.now() + ttlSeconds * 1000;
    await tokens.saveGrant(sha256(token).toString('hex'), grant, expiresAtMs);
    return { token, expiresAtMs };
  }

  /** A new token for one session. It is shown once; the store has its hash only. */
  async issueToken(sessionId: string, ttlSeconds: number): Promise<{ token: string; expiresAt: string }> {
    const token = this.#newToken();
    const expiresAtMs = this.#parts.clock.now() + ttlSeconds * 1000;
    await this.#parts.tokens.save(sha256(token).toString('hex'), sessionId, expiresAtMs);
    return { token, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  async #openToken(token: string): Promise<Caller> {
    const found = await this.#parts.tokens.find(sha256(token).toString('hex'), this.#parts.clock.now());
    if (!found) throw unknownToken();
    return { kind: 'token', ...found };
  }

  #newToken(): string {
    return TOKEN_PREFIX + Buffer.from(this.#parts.random(24)).toString('base64url');
  }
}

const unknownToken = (): Failure =>
  new Failure('unauthorized', 'The token is not known here or has expired; ask for a new one.');

/**
 * The credential of a request: the `Authorization` header first, then `?token=`, then the subprotocol pair.
 * @throws Failure `unauthorized` where a key is in the address, from where it would get into logs and histories.
 */
export function credentialOf(request: {
  authorization?: string | undefined;
  token?: string | undefined;
  subprotocols?: string | undefined;
}): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(request.authorization?.trim() ?? '');
  if (bearer) return bearer[1]!;
  if (request.token !== undefined) {
    if (request.token.startsWith(TOKEN_PREFIX)) return request.token;
    throw new Failure(
      'unauthorized',
      'Only a session token may be in an address; send a key as "Authorization: Bearer <key>".',
    );
  }
  const [name, value] = (request.subprotocols ?? '').split(',').map((part) => part.trim());
  return name === SUBPROTOCOL && value ? value : null;
}

/** The WebSocket subprotocol the server selects; a browser puts its token after it. */
export const SUBPROTOCOL = 'earshot';
