import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';

const ANNA = 'anna-0123456789abcdef';
const BEN = 'ben-0123456789abcdef0';
const as = (key: string, init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { authorization: `Bearer ${key}`, ...init.headers },
});

describe('a gateway with keys', () => {
  let gateway: TestGateway;
  let annas: { id: string; stream: { token: string } };
  beforeAll(async () => {
    gateway = await openGateway({
      recogniser: deaf,
      env: { API_KEYS: `${ANNA}, ${BEN}`, ALLOWED_ORIGINS: 'https://app.example' },
    });
    annas = (await (await gateway.request('/v1/sessions', as(ANNA, { method: 'POST' }))).json()) as never;
  });
  afterAll(() => gateway.close());

  const statusOf = async (path: string, init?: RequestInit) => (await gateway.request(path, init)).status;

  it('asks for one, and refuses a wrong one', async () => {
    const response = await gateway.request('/v1/sessions');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await statusOf('/v1/sessions', as('wrong'))).toBe(401);
    expect(await statusOf('/v1/sessions', as(ANNA))).toBe(200);
  });

  it('takes no key from an address', async () => {
    expect(await statusOf(`/v1/sessions?token=${ANNA}`)).toBe(401);
  });

  it('shows nobody another tenant’s session', async () => {
    for (const path of ['', '/transcript', '/events', '/tokens', '/redeliver'])
      expect(
        await statusOf(
          `/v1/sessions/${annas.id}${path}`,
          as(BEN, { method: /tok|red/.test(path) ? 'POST' : 'GET' }),
        ),
      ).toBe(404);
    expect(await statusOf(`/v1/sessions/${annas.id}`, as(BEN, { method: 'DELETE' }))).toBe(404);
    const list = (await (await gateway.request('/v1/sessions', as(BEN))).json()) as { items: unknown[] };
    expect(list.items).toEqual([]);
    expect(await statusOf(`/v1/sessions/${annas.id}`, as(ANNA))).toBe(200);
  });

  it('lets a token read its session’s events and nothing else', async () => {
    const token = annas.stream.token;
    const events = await gateway.request(`/v1/sessions/${annas.id}/events?token=${token}`);
    expect(events.status).toBe(200);
    await events.body?.cancel();
    const other = (await (await gateway.request('/v1/sessions', as(ANNA, { method: 'POST' }))).json()) as {
      id: string;
    };
    expect(await statusOf(`/v1/sessions/${other.id}/events`, as(token))).toBe(403);
    for (const path of ['/v1/sessions', `/v1/sessions/${annas.id}`, '/v1/feed'])
      expect(await statusOf(path, as(token))).toBe(403);
    expect(await statusOf(`/v1/sessions/${annas.id}`, as(token, { method: 'DELETE' }))).toBe(403);
    expect(await statusOf(`/v1/sessions/${annas.id}/events`, as('ek_forged'))).toBe(401);
  });

  it('lets pages of listed origins in and refuses others', async () => {
    const from = (origin: string) => as(ANNA, { headers: { origin } });
    const allowed = await gateway.request('/v1/sessions', from('https://app.example'));
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(await statusOf('/v1/sessions', from('https://evil.example'))).toBe(403);
    const preflight = await gateway.request('/v1/sessions', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
  });

  it('needs no key for health, metrics and the interface’s description', async () => {
    for (const path of ['/live', '/ready', '/metrics', '/v1/openapi.json', '/docs'])
      expect(await statusOf(path)).toBe(200);
  });
});

describe('a gateway without keys', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
  });
  afterAll(() => gateway.close());

  it('serves this machine’s own pages and programs only', async () => {
    expect((await gateway.request('/v1/sessions')).status).toBe(200);
    const foreign = await gateway.request('/v1/sessions', { headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    // A name that an attacker points at 127.0.0.1 arrives in the Host header.
    const rebound = await gateway.gateway.api.request('http://evil.example/v1/sessions');
    expect(rebound.status).toBe(403);
    const own = await gateway.request('/v1/sessions', {
      headers: { origin: 'http://127.0.0.1', host: '127.0.0.1' },
    });
    expect(own.status).toBe(200);
  });
});
