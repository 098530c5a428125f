// Tokens of pods against the whole API server: asked for once, renewed in time, and kept while nothing better is to be had.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { Pods, ServiceAccounts } from '../../api/kinds.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { createClient } from '../../client/rest/rest-client.ts';
import { anApiServer, type ClientServer } from '../../test/support/client-server.ts';
import { FaultyTransport } from '../../test/support/faulty-transport.ts';
import { PodTokens } from './pod-tokens.ts';

const HOUR = { audience: undefined, seconds: 3600 };
const MINUTE_MS = 60_000;

let cluster: ClientServer;
let transport: FaultyTransport;
let tokens: PodTokens;
let pod: Pod;
let skewMs: number;
beforeEach(async () => {
  skewMs = 0;
  cluster = await anApiServer();
  transport = new FaultyTransport(() => cluster.transport);
  const client = createClient(transport);
  const metadata = { namespace: 'default', name: 'default' };
  await client
    .resource(ServiceAccounts)
    .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  pod = await client.resource(Pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name: 'p' },
    spec: { containers: [{ name: 'a', image: 'a:1' }] },
  });
  const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
  tokens = new PodTokens({ client, clock, logger: silentLogger });
});
afterEach(() => cluster.close());

const dueInMs = () => tokens.dueAt(pod.metadata.uid ?? '') - systemClock.now() - skewMs;
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    aud: string[];
    'kubernetes.io': { pod: { uid: string } };
  };

it('are asked for once and kept until four fifths of their life are over', async () => {
  const first = await tokens.token(pod, HOUR);
  expect(claimsOf(first)['kubernetes.io'].pod.uid).toBe(pod.metadata.uid);
  skewMs = 47 * MINUTE_MS;
  expect(await tokens.token(pod, HOUR)).toBe(first);
  expect(dueInMs()).toBeGreaterThan(0);
  skewMs = 49 * MINUTE_MS;
  expect(dueInMs()).toBeLessThan(0);
  expect(await tokens.token(pod, HOUR)).not.toBe(first);
});

it('are one for each audience, and none is kept of a pod that is released', async () => {
  const vault = await tokens.token(pod, { audience: 'vault', seconds: 600 });
  expect(claimsOf(vault).aud).toEqual(['vault']);
  expect(await tokens.token(pod, HOUR)).not.toBe(vault);
  expect(dueInMs()).toBeLessThan(8 * MINUTE_MS + 1_000);
  tokens.release(pod.metadata.uid ?? '');
  expect(dueInMs()).toBe(Infinity);
});

it('that live for long are asked for anew after a day', async () => {
  await tokens.token(pod, { audience: undefined, seconds: 30 * 86_400 });
  expect(dueInMs()).toBeLessThanOrEqual(24 * 60 * MINUTE_MS);
});

it('count on while the API server is away, until they expire', async () => {
  const first = await tokens.token(pod, HOUR);
  transport.down = new Error('away');
  skewMs = 50 * MINUTE_MS;
  expect(await tokens.token(pod, HOUR)).toBe(first);
  expect(dueInMs()).toBeGreaterThan(0);
  skewMs = 61 * MINUTE_MS;
  await expect(tokens.token(pod, HOUR)).rejects.toThrow(/^failed to fetch token: /);
});
