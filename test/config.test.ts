import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, VARIABLES } from '../src/config.ts';

describe('the configuration', () => {
  it('runs without any variable set', () => {
    const config = readConfig({});
    expect(config).toMatchObject({ HOST: '127.0.0.1', PORT: 8080, LLM: 'embedded', API_KEYS: [] });
    expect(config.DATA_DIR).toMatch(/^\/.*data$/);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(readConfig({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ PORT: 8080 });
  });

  it('names every variable at fault at once', () => {
    const read = () => readConfig({ PORT: 'eighty', DATABASE_URL: 'mysql://x', LLM: 'maybe' });
    expect(read).toThrow(ConfigError);
    for (const name of ['PORT', 'DATABASE_URL', 'LLM']) expect(read).toThrow(new RegExp(`  ${name}: `));
  });

  it('refuses to be reached from outside without a key', () => {
    expect(() => readConfig({ HOST: '0.0.0.0' })).toThrow(/API_KEYS/);
    expect(readConfig({ HOST: '0.0.0.0', API_KEYS: 'k1, k2' }).API_KEYS).toEqual(['k1', 'k2']);
    for (const HOST of ['127.0.0.2', '::1', 'localhost']) expect(readConfig({ HOST }).HOST).toBe(HOST);
  });

  it('refuses a key that looks like a token', () => {
    expect(() => readConfig({ API_KEYS: 'ek_abc' })).toThrow(/ek_/);
  });

  it('asks where and what an upstream recogniser is', () => {
    const upstream = { STT: 'openai', STT_BASE_URL: 'http://127.0.0.1:8000/v1', STT_MODEL: 'large-v3' };
    expect(readConfig(upstream)).toMatchObject({ ...upstream, STT_CONCURRENCY: 4, STT_TIMEOUT_MS: 30_000 });
    for (const name of ['STT_BASE_URL', 'STT_MODEL'])
      expect(() => readConfig({ ...upstream, [name]: '' })).toThrow(
        new RegExp(`  ${name}: STT=openai needs`),
      );
    for (const STT_BASE_URL of ['localhost:8000', 'ftp://127.0.0.1/v1'])
      expect(() => readConfig({ ...upstream, STT_BASE_URL })).toThrow(/STT_BASE_URL: must be an http/);
  });

  it.each([
    [{ WEBHOOK_SECRET: 'secret' }, /WEBHOOK_SECRET: must be whsec_.*openssl/],
    [{ WEBHOOK_SECRET: `whsec_${Buffer.alloc(32).toString('base64')},old` }, /WEBHOOK_SECRET/],
    [{ WEBHOOK_ALLOW_CIDRS: '10.0.0.0/8, 10.0.0.1' }, /WEBHOOK_ALLOW_CIDRS: 10\.0\.0\.1 is no network/],
    [{ ROLES: 'gateway,cook', DATABASE_URL: 'postgres://db/x' }, /ROLES: there is no role cook/],
    [{ ROLES: 'worker' }, /ROLES: a node alone does all the work/],
  ])('refuses %j', (env, message) => {
    expect(() => readConfig(env as Record<string, string>)).toThrow(message);
  });

  it('takes what nodes and webhooks need', () => {
    const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString('base64')}`);
    const given = {
      WEBHOOK_SECRET: secrets.join(', '),
      WEBHOOK_ALLOW_CIDRS: '10.0.0.0/8, fd00::/8',
      ROLES: 'worker',
      DATABASE_URL: 'postgres://db/x',
    };
    expect(readConfig(given)).toMatchObject({
      WEBHOOK_SECRET: secrets,
      WEBHOOK_ALLOW_CIDRS: ['10.0.0.0/8', 'fd00::/8'],
      ROLES: ['worker'],
    });
    expect(readConfig({}).ROLES).toEqual(['gateway', 'worker']);
  });

  it('explains every variable', () => {
    for (const { name, meaning } of VARIABLES) expect(meaning, name).not.toBe('');
  });
});
