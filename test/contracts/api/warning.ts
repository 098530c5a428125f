// Words of warning in answers: of kinds that are deprecated, of objects that can hardly be meant, of kinds that nobody acts on.
// Invariant: a warning changes nothing else of the answer, and comes only where something can be done about it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, Called, OpenCaller } from '../../support/api-caller.ts';

const CORE = '/api/v1/namespaces/default';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const ENDPOINTS = `${CORE}/endpoints`;
const DEPRECATED =
  '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
const MERGE = 'application/merge-patch+json';
const deployment = (selector: object) => ({
  metadata: { name: 'd' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { nodeSelector: selector, containers: [{ name: 'c', image: 'i' }] },
    },
  },
});
const OLD = { 'beta.kubernetes.io/os': 'linux' };
const warningsOf = ({ headers }: Called) => (headers['warning'] ?? []) as readonly string[];

/** Holds for every way to a server, over every storage. */
export function warningContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
  });
  afterAll(() => api.close());

  it('say at each request that a kind is deprecated', async () => {
    const body = { metadata: { name: 'e' } };
    for (const [method, path, sent] of [
      ['POST', ENDPOINTS, body],
      ['GET', ENDPOINTS, undefined],
      ['GET', '/api/v1/endpoints', undefined],
      ['GET', `${ENDPOINTS}/e`, undefined],
      ['PUT', `${ENDPOINTS}/e`, body],
      ['DELETE', `${ENDPOINTS}/e`, undefined],
    ] as const) {
      const answer = await api.call(method, path, { body: sent });
      expect([method, path, answer.status < 300, warningsOf(answer)]).toEqual([
        method,
        path,
        true,
        [DEPRECATED],
      ]);
    }
    expect(warningsOf(await api.call('GET', `${CORE}/pods`))).toEqual([]);
  });

  it('say what a new object can hardly mean, and a changed one, but not what stays', async () => {
    const warned = ['299 - "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated'];
    const begins = (answer: Called) =>
      warningsOf(answer).map((text) => text.slice(0, warned[0]?.length));
    const made = await api.call('POST', DEPLOYMENTS, { body: deployment(OLD) });
    expect([made.status, begins(made)]).toEqual([201, warned]);
    const change = (body: object) => api.call('PATCH', `${DEPLOYMENTS}/d`, { body, type: MERGE });
    expect(begins(await change({ metadata: { labels: { a: 'b' } } }))).toEqual([]);
    expect(begins(await change({ spec: { replicas: 2 } }))).toEqual(warned);
    const spec = { template: { spec: { nodeSelector: null } } };
    expect(begins(await change({ spec }))).toEqual([]);
  });

  it('say that no controller acts on a new object', async () => {
    const sets = '/apis/apps/v1/namespaces/default/daemonsets';
    const { metadata, spec } = deployment({});
    const made = await api.call('POST', sets, { body: { metadata, spec } });
    expect([made.status, warningsOf(made)]).toEqual([
      201,
      ['299 - "no controller of this cluster acts on DaemonSets yet: no pods are made"'],
    ]);
    expect(warningsOf(await api.call('GET', `${sets}/d`))).toEqual([]);
  });
}
