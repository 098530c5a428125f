// Limits that are met seldom: at each the server goes on as before, beyond it does what docs/limits.md says.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMapDefinition } from '../../api/core/config-map.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import { MAX_MISFITS } from '../../api/fieldset/check-config.ts';
import type { DeviceRequest } from '../../api/generated/types.ts';
import { MAX_ENTRIES, validateDeviceClaim } from '../../api/resource/claim-validation.ts';
import { MAX_UNKNOWN_FIELDS } from '../../api/schema/decode.ts';
import { MAX_DUPLICATES } from '../../api/schema/strict-json.ts';
import { isConflict } from '../../api/status.ts';
import {
  MAX_REMEMBERED,
  ServiceAccountTokens,
} from '../../apiserver/auth/service-account-tokens.ts';
import { SigningKey } from '../../apiserver/auth/signing-key.ts';
import { MAX_DISRUPTED_PODS } from '../../apiserver/handlers/disruption-budget.ts';
import { MAX_NODES, MetricsStore } from '../../apiserver/metrics/metrics-store.ts';
import { MAX_UPDATE_ATTEMPTS } from '../../apiserver/options.ts';
import { applyJsonPatch, MAX_COPIED_BYTES } from '../../apiserver/patch/json-patch.ts';
import { Registry } from '../../apiserver/registry/registry.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const NS = '/api/v1/namespaces/default';
const BUDGETS = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const body = { metadata: { name: 'default' } };
  expect((await server.call('POST', `${NS}/serviceaccounts`, { body })).status).toBe(201);
});
afterAll(() => server.close());

const told = (text: string, what: RegExp) => (text.match(what) ?? []).length;

describe('A refusal', () => {
  it('names MAX_UNKNOWN_FIELDS fields that the kind does not have', async () => {
    const strict = async (count: number) => {
      const odd = Object.fromEntries(numbers(count).map((i) => [`odd${i}`, 1]));
      const path = `${NS}/configmaps?fieldValidation=Strict`;
      const { status, text } = await server.call('POST', path, {
        body: { metadata: { name: 'a' }, ...odd },
      });
      expect(status).toBe(400);
      return told(text, /unknown field/g);
    };
    expect(await strict(MAX_UNKNOWN_FIELDS)).toBe(MAX_UNKNOWN_FIELDS);
    expect(await strict(MAX_UNKNOWN_FIELDS + 5)).toBe(MAX_UNKNOWN_FIELDS);
  });

  it.each(['json', 'yaml'])(
    'names MAX_DUPLICATES fields that are there twice, in %s',
    async (format) => {
      const strict = async (count: number) => {
        const twice = numbers(count).flatMap((i) => [`"k${i}": "a"`, `"k${i}": "b"`]);
        const body = `{"metadata": {"name": "a"}, "data": {${twice.join(', ')}}}`;
        const path = `${NS}/configmaps?fieldValidation=Strict`;
        const headers = { 'content-type': `application/${format}` };
        const { status, text } = await server.call('POST', path, { body, headers });
        expect(status).toBe(400);
        return told(text, /duplicate field|already set/g);
      };
      expect(await strict(MAX_DUPLICATES)).toBe(MAX_DUPLICATES);
      expect(await strict(MAX_DUPLICATES + 5)).toBe(MAX_DUPLICATES);
    },
  );

  it('names MAX_MISFITS parts of a configuration that do not fit', async () => {
    const applied = async (count: number) => {
      const odd = Object.fromEntries(numbers(count).map((i) => [`odd${i}`, 1]));
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, ...odd };
      const headers = { 'content-type': 'application/apply-patch+yaml' };
      const path = `${NS}/configmaps/a?fieldManager=me`;
      const { status, text } = await server.call('PATCH', path, { body, headers });
      expect(status).toBe(400);
      return told(text, /field not declared/g);
    };
    expect(await applied(MAX_MISFITS)).toBe(MAX_MISFITS);
    expect(await applied(MAX_MISFITS + 5)).toBe(MAX_MISFITS);
  });
});

it('A JSON patch may copy MAX_COPIED_BYTES', () => {
  const quarter = { a: 'x'.repeat(MAX_COPIED_BYTES / 4 - 2) };
  const copies = (count: number) =>
    applyJsonPatch(
      quarter,
      numbers(count).map((i) => ({ op: 'copy', from: '/a', path: `/b${i}` })),
    );
  expect(Object.keys(copies(4))).toHaveLength(5);
  expect(() => copies(5)).toThrow(`up to ${MAX_COPIED_BYTES} bytes`);
});

it('A claim may have MAX_ENTRIES requests', () => {
  const asking = (count: number) => {
    const exactly = { deviceClassName: 'a', allocationMode: 'ExactCount', count: 1 };
    const requests: DeviceRequest[] = numbers(count).map((i) => ({ name: `r${i}`, exactly }));
    return validateDeviceClaim({ requests }, 'spec.devices').map(({ type, field }) => [
      type,
      field,
    ]);
  };
  expect(asking(MAX_ENTRIES)).toEqual([]);
  expect(asking(MAX_ENTRIES + 1)).toEqual([['FieldValueTooMany', 'spec.devices.requests']]);
});

it('Figures are kept of MAX_NODES nodes; those that are known go on', () => {
  const labels = { podLabels: () => undefined, nodeLabels: () => ({}) };
  const store = new MetricsStore(systemClock, labels);
  const node = { cpuNanoCores: 1, memoryBytes: 1 };
  const put = (i: number) => store.put(`n${i}`, { timestampMs: 1, windowMs: 1, node, pods: [] });
  for (const i of numbers(MAX_NODES)) expect(put(i)).toBe('taken');
  expect(put(MAX_NODES)).toBe('too many nodes');
  expect(put(0)).toBe('taken');
});

it('A budget lets MAX_DISRUPTED_PODS evictions wait for its controller', async () => {
  const labels = { app: 'a' };
  const spec = { containers: [{ name: 'a', image: 'a' }] };
  const made = await server.call('POST', `${NS}/pods`, {
    body: { metadata: { name: 'p', labels, finalizers: ['test.io/held'] }, spec },
  });
  expect(made.status).toBe(201);
  const body = { metadata: { name: 'b' }, spec: { selector: { matchLabels: labels } } };
  expect((await server.call('POST', BUDGETS, { body })).status).toBe(201);
  const setStatus = async (path: string, status: object) => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const answer = await server.call('PATCH', `${path}/status`, { body: { status }, headers });
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
  };
  const conditions = [{ type: 'Ready', status: 'True' }];
  await setStatus(`${NS}/pods/p`, { phase: 'Running', conditions });
  const evict = async (waiting: number) => {
    const now = '2026-01-01T00:00:00Z';
    const disruptedPods = Object.fromEntries(numbers(waiting).map((i) => [`w${i}`, now]));
    await setStatus(`${BUDGETS}/b`, {
      observedGeneration: 1,
      disruptionsAllowed: 9,
      disruptedPods,
    });
    return server.call('POST', `${NS}/pods/p/eviction?dryRun=All`, {
      body: { metadata: { name: 'p' } },
    });
  };
  expect((await evict(MAX_DISRUPTED_PODS)).status).toBe(201);
  const full = await evict(MAX_DISRUPTED_PODS + 1);
  expect([full.status, full.json().reason]).toEqual([403, 'Forbidden']);
  expect(full.json().message).toContain('DisruptedPods map too big');
});

it('The signatures of MAX_REMEMBERED tokens are remembered; the one unused for longest is checked anew', () => {
  class CountingKey extends SigningKey {
    reads = 0;

    override read(token: string) {
      this.reads += 1;
      return super.read(token);
    }
  }
  const key = new CountingKey(SigningKey.generate());
  const doors = { store: server.server.store, clock: systemClock, random: systemRandom };
  const tokens = new ServiceAccountTokens(doors, { key });
  const about = { namespace: 'default', serviceaccount: { name: 'a', uid: 'u' } };
  const all = numbers(MAX_REMEMBERED + 1).map(
    () => tokens.issue({ about, audiences: ['a'], seconds: 600 }).token,
  );
  const checks = (token: string | undefined) => {
    const before = key.reads;
    tokens.read(token ?? '', ['a']);
    return key.reads - before;
  };
  for (const token of all.slice(0, MAX_REMEMBERED)) expect(checks(token)).toBe(1);
  expect(checks(all[0])).toBe(0);
  expect(checks(all.at(-1))).toBe(1);
  // The second was unused for longest; the first was asked for in between.
  expect(checks(all[0])).toBe(0);
  expect(checks(all[1])).toBe(1);
});

it('A change of what others change all the time is tried MAX_UPDATE_ATTEMPTS times', async () => {
  const registry = new Registry(server.server.store);
  const definition = configMapDefinition as unknown as ResourceDefinition;
  const body = { metadata: { name: 'busy' }, data: { n: '0' } };
  expect((await server.call('POST', `${NS}/configmaps`, { body })).status).toBe(201);
  const at = { definition, namespace: 'default', name: 'busy' };
  const live = { dryRun: false };
  const change = async (othersFor: number) => {
    let tries = 0;
    const outcome = registry.update(
      at,
      async (old) => {
        tries += 1;
        const write = (by: string) => ({ ...old, data: { n: `${by}${systemRandom.next()}` } });
        if (tries <= othersFor)
          await registry.update(at, () => ({ kind: 'put', object: write('other') }), live);
        return { kind: 'put', object: write('mine') };
      },
      live,
    );
    return { ok: await outcome.then(() => true, isConflict), tries, outcome };
  };
  const won = await change(MAX_UPDATE_ATTEMPTS - 1);
  expect([won.tries, (await won.outcome).kind]).toEqual([MAX_UPDATE_ATTEMPTS, 'stored']);
  const lost = await change(MAX_UPDATE_ATTEMPTS);
  expect([lost.tries, lost.ok]).toEqual([MAX_UPDATE_ATTEMPTS, true]);
  await expect(lost.outcome).rejects.toSatisfy(isConflict);
});
