import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/http/docs.ts';
import { deaf, openGateway, type TestGateway } from '../support/api.ts';

describe('the interface’s description', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openGateway({ recogniser: deaf });
  });
  afterAll(() => gateway.close());

  it('covers every route there is, and none that is not', () => {
    const described = Object.entries(openApiDocument('1').paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const undescribed = /^\/(docs|v1\/openapi|v1\/stream|v1\/sessions\/\{id\}\/stream)/;
    const served = gateway.gateway.api.routes
      .filter(({ method, path }) => method !== 'ALL' && !path.includes('*'))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
      .filter((route) => !undescribed.test(route.split(' ')[1]!));
    expect([...new Set(served)].sort()).toEqual(described.sort());
  });

  it('is a page that asks nothing of other hosts', async () => {
    const page = await (await gateway.request('/docs')).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) {
      expect(address).toMatch(/^\/docs\//);
      expect((await gateway.request(address)).status).toBe(200);
    }
    expect((await gateway.request('/docs/package.json')).status).toBe(404);
  });

  it('names metrics that can be read', async () => {
    const metrics = await (await gateway.request('/metrics')).text();
    for (const name of ['earshot_live_sessions', 'earshot_recogniser_waiting', 'earshot_readers'])
      expect(metrics).toMatch(new RegExp(`^${name} \\d+$`, 'm'));
  });
});
