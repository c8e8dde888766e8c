/** Every way into the operator's network that is known of, tried against a canary that listens there. */
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/flow/clock.ts';
import { addressRule, checkUrl, isCidr } from '../../src/webhooks/addresses.ts';
import { ask } from '../../src/webhooks/ask.ts';
import type { Lookup } from '../../src/webhooks/dial.ts';
import { fetchAudio } from '../../src/webhooks/fetch-audio.ts';
import { sendWebhook } from '../../src/webhooks/send.ts';
import { freshFolder } from '../support/databases.ts';
import { answer, connectionsTo, openReceiver, type Receiver } from './receiver.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((found) =>
  found?.some(({ address }) => address === '::1'),
);
const never = new AbortController().signal;
const nothingListed = addressRule([]);

/** The first byte of whoever begins with TLS (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 22;

let canary: Receiver;
let folder: Awaited<ReturnType<typeof freshFolder>>;
beforeAll(async () => {
  // On every address this machine has.
  canary = await openReceiver((socket) => socket.end(answer(200, 'tweet')), {
    host: hasIpv6 ? '::' : '0.0.0.0',
    // Speaks no TLS, and says so at once.
    onConnection: (socket) => socket.once('data', (data) => data[0] === TLS_HANDSHAKE && socket.destroy()),
  });
  folder = await freshFolder();
});
afterEach(() => {
  canary.connections = 0;
});
afterAll(async () => {
  await canary.close();
  await folder.remove();
});

const at = (url: string): string => url.replace('PORT', String(canary.port));

interface Ways {
  readonly rule?: ReturnType<typeof addressRule>;
  readonly lookup?: Lookup;
}

const send = (url: string, { rule = nothingListed, lookup }: Ways) =>
  sendWebhook(
    { url: at(url), body: '{}', headers: {} },
    { rule, clock: systemClock, ...(lookup && { lookup }) },
    never,
  );

const fetchCode = (url: string, { rule = nothingListed, lookup }: Ways): Promise<string> =>
  fetchAudio(
    at(url),
    join(folder.path, 'audio'),
    { maxBytes: 1000, timeoutMs: 60_000 },
    { rule, clock: systemClock, ...(lookup && { lookup }) },
    never,
  ).then(
    () => 'fetched',
    (error) => error.code,
  );

/** Past the check of the URL, straight to the connection. */
const dialReason = (url: string, { rule = nothingListed, lookup }: Ways): Promise<string> =>
  ask(
    new URL(at(url)),
    { method: 'GET', headers: {} },
    { rule, ...(lookup && { lookup }) },
    never,
    async () => 'reached',
  ).catch((error) => error.reason ?? String(error));

describe('an address inside', () => {
  const INSIDE: [string, string][] = [
    ['loopback', '127.0.0.1'],
    ['the far end of loopback', '127.255.255.254'],
    ['this host', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['private, 10/8', '10.0.0.1'],
    ['private, 172.16/12', '172.16.0.1'],
    ['private, the end of 172.16/12', '172.31.255.255'],
    ['private, 192.168/16', '192.168.1.1'],
    ['link-local', '169.254.0.1'],
    ['metadata', '169.254.169.254'],
    ['CGNAT', '100.64.0.1'],
    ['the end of CGNAT', '100.127.255.255'],
    ['metadata in CGNAT', '100.100.100.200'],
    ['metadata with a public number', '168.63.129.16'],
    ['metadata among protocols', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['documentation, second', '198.51.100.1'],
    ['documentation, third', '203.0.113.1'],
    ['benchmarks', '198.18.0.1'],
    ['a 6to4 relay', '192.88.99.1'],
    ['multicast', '224.0.0.1'],
    ['multicast, the end', '239.255.255.250'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['loopback as one number', '2130706433'],
    ['loopback in hex', '0x7f000001'],
    ['loopback in octal', '017700000001'],
    ['loopback, a byte in hex', '0x7f.0.0.1'],
    ['loopback, a byte in octal', '0177.0.0.1'],
    ['loopback in two parts', '127.1'],
    ['loopback in three parts', '127.0.1'],
    ['this host as one number', '0'],
    ['metadata as one number', '2852039166'],
    ['loopback with a full stop', '127.0.0.1.'],
    ['loopback in wide digits', '１２７.０.０.１'],
    ['loopback with ideographic full stops', '127。0。0。1'],
    ['loopback, percent-encoded', '%31%32%37.0.0.1'],
    ['IPv6 loopback', '[::1]'],
    ['IPv6 loopback at length', '[0:0:0:0:0:0:0:1]'],
    ['IPv6 unspecified', '[::]'],
    ['mapped loopback', '[::ffff:127.0.0.1]'],
    ['mapped loopback in hex', '[::ffff:7f00:1]'],
    ['mapped private', '[::ffff:10.0.0.1]'],
    ['mapped metadata', '[::ffff:169.254.169.254]'],
    ['compatible loopback', '[::127.0.0.1]'],
    ['compatible, of a public address', '[::8.8.8.8]'],
    ['translated loopback', '[::ffff:0:127.0.0.1]'],
    ['NAT64 of loopback', '[64:ff9b::127.0.0.1]'],
    ['NAT64 of a public address', '[64:ff9b::8.8.8.8]'],
    ['local NAT64 of private', '[64:ff9b:1::10.0.0.1]'],
    ['6to4 of loopback', '[2002:7f00:1::]'],
    ['6to4 of a public address', '[2002:808:808::1]'],
    ['Teredo', '[2001:0:7f00:1::]'],
    ['unique local', '[fc00::1]'],
    ['IPv6 metadata', '[fd00:ec2::254]'],
    ['IPv6 metadata, another', '[fd20:ce::254]'],
    ['IPv6 link-local', '[fe80::1]'],
    ['site-local', '[fec0::1]'],
    ['IPv6 multicast', '[ff02::1]'],
    ['IPv6 documentation', '[2001:db8::1]'],
    ['IPv6 documentation, second', '[3fff::1]'],
    ['IPv6 benchmarks', '[2001:2::1]'],
    ['ORCHID', '[2001:20::1]'],
    ['discard', '[100::1]'],
    ['segment routing', '[5f00::1]'],
    ['not allocated', '[4000::1]'],
    ['localhost', 'localhost'],
    ['localhost in capitals', 'LOCALHOST'],
    ['localhost with a full stop', 'localhost.'],
    ['a name under localhost', 'app.localhost'],
  ];
  for (const scheme of ['https', 'http'])
    it.each(INSIDE)(`is not dialled over ${scheme}: %s`, async (_what, host) => {
      const url = `${scheme}://${host}:PORT/hook`;
      expect(() => checkUrl(at(url), nothingListed)).toThrow(
        expect.objectContaining({ code: 'address_not_allowed' }),
      );
      expect((await send(url, {})).error).toBe('refused_address');
      expect(await fetchCode(url, {})).toBe('address_not_allowed');
      // A name under localhost may be unknown to the system's resolver.
      expect(await dialReason(url, {})).toMatch(/^(refused_address|unknown_host)$/);
      expect(await connectionsTo(canary)).toBe(0);
    });

  const REACHING = INSIDE.filter(([, host]) =>
    /^(127\.0\.0\.1|0\.0\.0\.0|2130706433|0x7f000001|017700000001|127\.1|\[::ffff:7f00:1\]|localhost)$/.test(
      host,
    ),
  );
  it.each(REACHING)('would be reached where it is listed: %s', async (_what, host) => {
    const rule = addressRule(['0.0.0.0/0', '::/0']);
    expect(await send(`http://${host}:PORT/hook`, { rule })).toMatchObject({
      status: 200,
      response: 'tweet',
    });
    expect(await fetchCode(`http://${host}:PORT/hook`, { rule })).toBe('fetched');
    expect(await connectionsTo(canary)).toBe(2);
    canary.connections = 0;
    expect(await send(`https://${host}:PORT/hook`, { rule })).toMatchObject({ error: 'tls' });
    expect(await connectionsTo(canary)).toBe(1);
  });
});

describe('a URL', () => {
  const anything = addressRule(['127.0.0.0/8', '::1/128']);
  const REFUSED: [string, string][] = [
    ['no URL', 'receiver'],
    ['nothing', ''],
    ['a path', '/hook'],
    ['ftp', 'ftp://127.0.0.1:PORT/hook'],
    ['file', 'file:///etc/passwd'],
    ['gopher', 'gopher://127.0.0.1:PORT/_GET'],
    ['data', 'data:application/json,{}'],
    ['no host', 'https://'],
    ['no host but a port', 'https://:443/'],
    ['a host that is a full stop', 'https://./'],
    ['a user', 'http://me@127.0.0.1:PORT/hook'],
    ['a user and a password', 'http://me:word@127.0.0.1:PORT/hook'],
    ['a host as the user', 'http://receiver.test@127.0.0.1:PORT/hook'],
    ['port 0', 'http://127.0.0.1:0/hook'],
    ['a port beyond all ports', 'http://127.0.0.1:65536/hook'],
    ['a zone', 'http://[::1%25lo]:PORT/hook'],
    ['a number that is no address', 'http://4294967296:PORT/hook'],
    ['a public address without TLS', 'http://8.8.8.8:PORT/hook'],
  ];
  it.each(REFUSED)('is refused: %s', async (_what, url) => {
    const lookup: Lookup = async () => ['127.0.0.1'];
    expect((await send(url, { rule: anything, lookup })).error).toBe('refused_address');
    expect(await connectionsTo(canary)).toBe(0);
  });

  it('with a backslash has its host before it, as for those who dial it', () => {
    const url = checkUrl('https://receiver.test\\@127.0.0.1/hook', nothingListed);
    expect([url.hostname, url.pathname]).toEqual(['receiver.test', '/@127.0.0.1/hook']);
  });

  const FINE: [string, string, readonly string[]][] = [
    ['a name', 'https://receiver.test/hook', []],
    ['a name with a port', 'https://receiver.test:8443/hook?a=b#c', []],
    ['a public address', 'https://8.8.8.8/hook', []],
    ['a public IPv6 address', 'https://[2606:4700::1111]/hook', []],
    ['a mapped public address', 'https://[::ffff:8.8.8.8]/hook', []],
    ['a listed address', 'https://10.1.2.3/hook', ['10.0.0.0/8']],
    ['a listed address without TLS', 'http://10.1.2.3/hook', ['10.0.0.0/8']],
    ['a listed address in disguise', 'http://[::ffff:10.1.2.3]/hook', ['10.0.0.0/8']],
    ['an address listed in disguise', 'http://10.1.2.3/hook', ['::ffff:10.0.0.0/104']],
    ['a listed IPv6 address', 'http://[fd00::1]/hook', ['fd00::/8']],
    ['a listed 6to4 address', 'https://[2002:7f00:1::]/hook', ['2002::/16']],
    ['localhost where it is listed', 'http://localhost/hook', ['127.0.0.1/32']],
    ['localhost where it is listed by IPv6', 'http://localhost/hook', ['::1/128']],
    ['a name without TLS where something is listed', 'http://receiver.test/hook', ['10.0.0.0/8']],
    ['a name that looks local', 'https://notlocalhost/hook', []],
  ];
  it.each(FINE)('is taken: %s', (_what, url, allowed) => {
    expect(checkUrl(url, addressRule(allowed)).href).toBe(new URL(url).href);
  });

  const NOT_LISTED: [string, string, readonly string[]][] = [
    ['one address beside the network', 'http://10.0.1.0/hook', ['10.0.0.0/24']],
    ['localhost where only another loopback is listed', 'http://localhost/hook', ['127.0.0.2/32']],
    ['a name without TLS where nothing is listed', 'http://receiver.test/hook', []],
    ['IPv4 where all of IPv6 is listed', 'https://127.0.0.1/hook', ['::/0']],
    ['IPv6 where all of IPv4 is listed', 'https://[::1]/hook', ['0.0.0.0/0']],
    ['a mapped address where all of IPv6 is listed', 'https://[::ffff:127.0.0.1]/hook', ['::/0']],
  ];
  it.each(NOT_LISTED)('is refused, and says what to do: %s', (_what, url, allowed) => {
    expect(() => checkUrl(url, addressRule(allowed))).toThrow(
      expect.objectContaining({ message: expect.stringContaining('WEBHOOK_ALLOW_CIDRS') }),
    );
  });
});

describe('a network', () => {
  it.each(['10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', 'fd00::/8', '::1/128', '::ffff:10.0.0.0/104'])(
    'is %s',
    (text) => expect(isCidr(text)).toBe(true),
  );
  it.each(['10.0.0.1', '10/8', '0x7f.1/8', '10.0.0.0/33', 'fd00::/129', 'fe80::1%lo/64', '/8', 'lan/8', ''])(
    'is not %s',
    (text) => {
      expect(isCidr(text)).toBe(false);
      expect(() => addressRule([text])).toThrow(RangeError);
    },
  );
});

describe('a name', () => {
  /** Gives the answers one after another, the last one for ever, and counts. */
  function answering(...answers: string[][]): Lookup & { asked: number } {
    const lookup = Object.assign(
      async () => {
        lookup.asked++;
        return answers[Math.min(lookup.asked, answers.length) - 1]!;
      },
      { asked: 0 },
    );
    return lookup;
  }

  // The receiver is where one may go, on a loopback address of its own; the canary's is 127.0.0.1.
  const rule = addressRule(['127.0.0.2/32']);
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await openReceiver((socket) => socket.end(answer(200, 'taken')), { host: '127.0.0.2' });
  });
  afterEach(() => {
    receiver.connections = 0;
  });
  afterAll(() => receiver.close());

  const ANSWERS: [string, string[]][] = [
    ['inside', ['127.0.0.1']],
    ['inside, by IPv6', ['::1']],
    ['inside, mapped', ['::ffff:127.0.0.1']],
    ['metadata', ['169.254.169.254']],
    ['allowed first, then inside', ['127.0.0.2', '127.0.0.1']],
    ['inside first, then allowed', ['127.0.0.1', '127.0.0.2']],
    ['allowed, and inside by IPv6', ['127.0.0.2', '::1']],
    ['public, and inside', ['8.8.8.8', '127.0.0.1']],
    ['no address at all', ['receiver.test']],
    ['an address as no resolver writes it', ['2130706433']],
  ];
  for (const scheme of ['https', 'http'])
    it.each(ANSWERS)(`is not dialled over ${scheme} where it means: %s`, async (_what, addresses) => {
      const lookup = answering(addresses);
      const url = `${scheme}://receiver.test:PORT/hook`;
      expect((await send(url, { rule, lookup })).error).toBe('refused_address');
      expect(await fetchCode(url, { rule, lookup })).toBe('address_not_allowed');
      expect(await dialReason(url, { rule, lookup })).toBe('refused_address');
      expect(lookup.asked).toBe(3);
      expect(await connectionsTo(canary)).toBe(0);
      expect(await connectionsTo(receiver, '127.0.0.2')).toBe(0);
    });

  it('is not dialled without TLS where it is public and something is listed', async () => {
    const lookup = answering(['8.8.8.8']);
    expect((await send('http://receiver.test:PORT/hook', { rule, lookup })).error).toBe('refused_address');
  });

  it('that changes its meaning between check and connection is dialled as it was checked', async () => {
    const lookup = answering(['127.0.0.2'], ['127.0.0.1']);
    const url = `http://receiver.test:${receiver.port}/hook`;
    expect(await send(url, { rule, lookup })).toMatchObject({ status: 200, response: 'taken' });
    expect(lookup.asked).toBe(1);
    expect(receiver.requests.at(-1)).toContain(`host: receiver.test:${receiver.port}\r\n`);
  });

  it('that changes its meaning later is checked again for every connection', async () => {
    const lookup = answering(['127.0.0.2'], ['127.0.0.2'], ['127.0.0.1']);
    const url = `http://receiver.test:${receiver.port}/hook`;
    const all = [];
    for (let attempt = 1; attempt <= 3; attempt++) all.push((await send(url, { rule, lookup })).error);
    expect(all).toEqual([null, null, 'refused_address']);
    expect(await connectionsTo(receiver, '127.0.0.2')).toBe(2);
    expect((await send('http://receiver.test:PORT/hook', { rule, lookup })).error).toBe('refused_address');
    expect(await connectionsTo(canary)).toBe(0);
  });

  const REDIRECTS: [string, string][] = [
    ['loopback', 'http://127.0.0.1:PORT/'],
    ['loopback over https', 'https://127.0.0.1:PORT/'],
    ['loopback as one number', 'http://2130706433:PORT/'],
    ['loopback without a scheme', '//127.0.0.1:PORT/'],
    ['mapped loopback', 'http://[::ffff:127.0.0.1]:PORT/'],
    ['IPv6 loopback', 'http://[::1]:PORT/'],
    ['localhost', 'http://localhost:PORT/'],
    ['a name that means loopback', 'http://canary.test:PORT/'],
    ['a user at an allowed address', 'http://me@127.0.0.2:PORT/'],
    ['a file', 'file:///etc/passwd'],
  ];
  it.each(REDIRECTS)('that redirects inside leads nowhere: %s', async (_what, location) => {
    const lookup: Lookup = async (name) => (name === 'canary.test' ? ['127.0.0.1'] : ['127.0.0.2']);
    const guide = await openReceiver((socket) => socket.end(answer(302, '', { location: at(location) })), {
      host: '127.0.0.2',
    });
    const url = `http://receiver.test:${guide.port}/hook`;
    expect(await send(url, { rule, lookup })).toMatchObject({ status: 302, error: null });
    expect(await fetchCode(url, { rule, lookup })).toBe('address_not_allowed');
    expect(guide.connections).toBe(2);
    expect(await connectionsTo(canary)).toBe(0);
    await guide.close();
  });
});
