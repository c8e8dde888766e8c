/**
 * Connects to hosts that clients named. A name is looked up here, once, and every answer is judged before the first
 * packet leaves; Node is then given these very addresses. A second look-up could answer otherwise (DNS rebinding).
 */
import { lookup as lookupByTheSystem } from 'node:dns/promises';
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type AddressRule, hostOf } from './addresses.ts';

/** One of several addresses may take so long to connect before the next is tried (RFC 8305). */
const ATTEMPT_MS = 1000;

/** Finds the addresses of a name. Rejects, or answers none, where there are none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

export interface DialParts {
  readonly rule: AddressRule;
  /** The system's own where not given. */
  readonly lookup?: Lookup;
  /** Certificate authorities in PEM, in place of those that Node trusts. */
  readonly ca?: string;
}

/** Why a host gave no answer. */
export class NoAnswer extends Error {
  readonly reason:
    | 'refused_address'
    | 'unknown_host'
    /** Nobody listens, or the connection broke. */
    | 'connection'
    /** No TLS, or a certificate that does not hold. */
    | 'tls'
    /** What came is not HTTP, or has headers beyond all bounds. */
    | 'protocol';

  constructor(reason: NoAnswer['reason'], cause?: unknown) {
    super(`no answer: ${reason}`, { cause });
    this.name = 'NoAnswer';
    this.reason = reason;
  }
}

/**
 * The addresses of a URL's host, all of which may be dialled. One that may not be spoils the others: an honest name
 * has no such answers.
 * @throws NoAnswer `refused_address`, `unknown_host`
 */
export async function judgedAddresses(
  url: URL,
  { rule, lookup = systemLookup }: DialParts,
): Promise<readonly string[]> {
  const host = hostOf(url);
  const addresses = isIP(host) ? [host] : await namesakes(host, lookup);
  const isAllowed = url.protocol === 'https:' ? rule.allows : rule.lists;
  if (!addresses.every((address) => isAllowed(address))) throw new NoAnswer('refused_address');
  return addresses;
}

async function namesakes(name: string, lookup: Lookup): Promise<readonly string[]> {
  const addresses = await lookup(name).catch((error) => {
    throw new NoAnswer('unknown_host', error);
  });
  if (addresses.length === 0) throw new NoAnswer('unknown_host');
  return addresses;
}

const systemLookup: Lookup = async (name) =>
  (await lookupByTheSystem(name, { all: true })).map(({ address }) => address);

/** A socket that has begun to connect to one of `addresses`, with TLS where the URL says so. */
export function dial(url: URL, addresses: readonly string[], ca: string | undefined): Socket {
  const host = hostOf(url);
  const isSecure = url.protocol === 'https:';
  const reach = {
    host,
    port: Number(url.port) || (isSecure ? 443 : 80),
    lookup: answering(addresses),
    autoSelectFamilyAttemptTimeout: ATTEMPT_MS,
    noDelay: true,
  };
  // RFC 6066, section 3: a server name is never an address.
  const servername = isIP(host) ? {} : { servername: host };
  return isSecure
    ? connectTls({ ...reach, ...servername, ALPNProtocols: ['http/1.1'], ...(ca && { ca }) })
    : connectTcp(reach);
}

/** What Node takes for a look-up. It does not ask for literals: those it dials as they are. */
function answering(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  const [first] = found;
  return (_name, { all }, callback) =>
    queueMicrotask(() => (all ? callback(null, found) : callback(null, first!.address, first!.family)));
}
