/**
 * Which addresses the gateway dials on the word of a client: the public internet, and what the operator lists. All
 * else is the operator's own network, where a request from inside may do what none from outside can (SSRF).
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Failure } from '../domain/failure.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = readonly [Address, number];

/**
 * What has been allocated to hosts (IANA). Outside are loopback, unique local, link-local and site-local, and what
 * stands for an IPv4 address, public or not: IPv4-compatible (`::/96`) and NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`).
 */
const GLOBAL_V6: Network = ipaddr.parseCIDR('2000::/3');

/** Refused within that, whatever the library says of them: a tunnel ends at an IPv4 address that could be any. */
const REFUSED: readonly Network[] = [
  // Teredo is within; the rest is for protocols, benchmarks and experiments (RFC 2928).
  '2001::/23',
  '2001:db8::/32',
  // 6to4.
  '2002::/16',
  '3fff::/20',
  // Public by its number, and answered by the host beneath an Azure machine: that cloud's metadata.
  '168.63.129.16/32',
].map((cidr) => ipaddr.parseCIDR(cidr));

const LOOPBACKS = ['127.0.0.1', '::1'];

/** Which addresses may be dialled. Both answers are false for what is not an address. */
export interface AddressRule {
  /** Whether the operator lists any network. */
  readonly listsAny: boolean;
  /** Whether an address may be dialled over TLS: it is public, or the operator lists it. */
  allows(address: string): boolean;
  /** Whether the operator lists an address; only such are dialled without TLS. */
  lists(address: string): boolean;
}

/**
 * The rule where an operator lists some networks.
 * @param allowed Networks in CIDR notation, of either family. They overrule every refusal.
 * @throws RangeError where one is not {@link isCidr}.
 */
export function addressRule(allowed: readonly string[]): AddressRule {
  const networks = allowed.map(readNetwork);
  const isListed = (address: Address) => networks.some((network) => isWithin(address, network));
  return {
    listsAny: networks.length > 0,
    allows(text) {
      const address = readAddress(text);
      return address !== null && (isListed(address) || isPublic(address));
    },
    lists(text) {
      const address = readAddress(text);
      return address !== null && isListed(address);
    },
  };
}

/** Whether `text` is a network in CIDR notation, such as `10.0.0.0/8` or `fd00::/8`. */
export const isCidr = (text: string): boolean =>
  isIP(text.slice(0, text.lastIndexOf('/'))) !== 0 && !text.includes('%') && ipaddr.isValidCIDR(text);

function readNetwork(text: string): Network {
  if (!isCidr(text)) throw new RangeError(`${text} is not a network in CIDR notation`);
  const [address, bits] = ipaddr.parseCIDR(text);
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96;
  return isMapped ? [address.toIPv4Address(), bits - 96] : [address, bits];
}

/** Mapped addresses become the IPv4 address that is dialled. `isIP` first: the library also reads `10` and `0x7f.1`. */
const readAddress = (text: string): Address | null =>
  isIP(text) !== 0 && ipaddr.isValid(text) ? ipaddr.process(text) : null;

const isWithin = (address: Address, [network, bits]: Network): boolean =>
  address.kind() === network.kind() && address.match(network, bits);

const isPublic = (address: Address): boolean =>
  address.range() === 'unicast' &&
  (address.kind() === 'ipv4' || isWithin(address, GLOBAL_V6)) &&
  !REFUSED.some((network) => isWithin(address, network));

/**
 * Reads a URL that a client gave. Names are judged later, at every connect: what they mean can change.
 * @throws Failure `address_not_allowed`
 */
export function checkUrl(text: string, rule: AddressRule): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const host = url === null ? '' : hostOf(url);
  if (url === null || !/^https?:$/.test(url.protocol) || host === '')
    throw refused('This is not a web address. Give a whole one, which begins with https://.');
  if (url.username !== '' || url.password !== '')
    throw refused('A web address with a user name or a password is not dialled. Leave them out.');
  if (url.port === '0') throw refused('Nothing listens on port 0. Give another port, or none.');
  const isLiteral = isIP(host) !== 0;
  if (url.protocol === 'http:' && !(isLiteral ? rule.lists(host) : rule.listsAny)) throw plainText();
  if (isLiteral && !rule.allows(host)) throw notAllowed();
  if (/(^|\.)localhost$/.test(host) && !LOOPBACKS.some(rule.lists)) throw notAllowed();
  return url;
}

/** A URL's host as it is looked up: literals without brackets, and no full stop at the end. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.+$/, '');

/** Why an address is not dialled. Does not say what a name resolved to: that is the operator's own business. */
export const notAllowed = (): Failure =>
  refused(
    'This address is not dialled from here. Use a public host, or have the operator add its network to WEBHOOK_ALLOW_CIDRS.',
  );

const plainText = (): Failure =>
  refused('Without TLS only addresses in WEBHOOK_ALLOW_CIDRS are dialled. Use https.');

const refused = (message: string): Failure => new Failure('address_not_allowed', message);
