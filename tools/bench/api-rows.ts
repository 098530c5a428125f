// The rows of the API bench: what is asked, by how many at once, how often, and what is hoped for.
// Invariant: rows run in this order, each on what the ones before it left.
import { benchConfigMapJson, benchPodJson, benchPodStatusJson } from './bench-objects.ts';
import type { RequestPlan } from './load-order.ts';

/** Namespaces: objects that come and go, 500 Pods, 10,000 Pods. */
export const SCRATCH = 'bench-scratch';
export const SOME = 'bench-some';
export const MANY = 'bench-many';
const SOME_PODS = 500;
const MANY_PODS = 10_000;

/** A row. */
export interface ApiRow {
  readonly what: string;
  readonly clients: number;
  readonly count: number;
  /** Number of the first request. */
  readonly first: number;
  readonly request: RequestPlan;
  /** Requests a second that are hoped for. */
  readonly goal?: number;
}

const JSON_TYPE = 'application/json';
const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`;

function plan(method: string, path: string, sent: Partial<RequestPlan> = {}): RequestPlan {
  const status = method === 'POST' ? 201 : 200;
  return { method, path, type: JSON_TYPE, objects: MANY_PODS, status, ...sent };
}

function creating(clients: number, count: number, first: number): ApiRow {
  const body = benchPodJson('pod-{i}');
  const request = plan('POST', pods(SCRATCH), { body });
  return { what: 'create Pod', clients, count, first, request };
}

const onePod = `${pods(MANY)}/pod-{o}`;

function getting(clients: number, count: number): ApiRow {
  return { what: 'get Pod', clients, count, first: 0, request: plan('GET', onePod) };
}

function updating(clients: number, count: number, first: number): ApiRow {
  const body = benchPodJson('pod-{o}');
  const request = plan('PUT', onePod, { body });
  return { what: 'update Pod', clients, count, first, request };
}

/** Patches of a label; each row begins where the numbers of the others end, so that each patch changes something. */
function patching(what: string, type: string, nth: number): ApiRow {
  const labels = { n: `${nth}-{i}` };
  const bodies: Readonly<Record<string, unknown>> = {
    'json-patch+json': [{ op: 'replace', path: '/metadata/labels/n', value: labels.n }],
    'apply-patch+yaml': {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pod-{o}', labels: { applied: labels.n } },
    },
  };
  const body = JSON.stringify(bodies[type] ?? { metadata: { labels } });
  const query = type === 'apply-patch+yaml' ? '?fieldManager=bench-apply&force=true' : '';
  const request = plan('PATCH', onePod + query, { body, type: `application/${type}` });
  return { what, clients: 16, count: 3_000, first: 0, request };
}

const SCRATCH_PODS = 10_000;

/** All of them. */
export const API_ROWS: readonly ApiRow[] = [
  {
    what: 'create ConfigMap of 1 KB',
    clients: 16,
    count: 4_000,
    first: 0,
    request: plan('POST', `/api/v1/namespaces/${SCRATCH}/configmaps`, {
      body: benchConfigMapJson('config-{i}'),
    }),
  },
  creating(1, 1_000, 0),
  creating(16, 4_000, 1_000),
  { ...creating(64, SCRATCH_PODS - 5_000, 5_000), goal: 5_000 },
  getting(1, 3_000),
  getting(16, 20_000),
  { ...getting(64, 20_000), goal: 18_000 },
  updating(1, 1_000, 10_000),
  updating(16, 4_000, 20_000),
  updating(64, 5_000, 30_000),
  {
    what: 'update status of a Pod',
    clients: 16,
    count: MANY_PODS,
    first: 0,
    request: plan('PUT', `${onePod}/status`, { body: benchPodStatusJson('pod-{o}') }),
  },
  patching('patch Pod, JSON patch', 'json-patch+json', 1),
  patching('patch Pod, merge patch', 'merge-patch+json', 2),
  patching('patch Pod, strategic merge patch', 'strategic-merge-patch+json', 3),
  patching('patch Pod, server-side apply', 'apply-patch+yaml', 4),
  ...[1, 16].map((clients) => ({
    what: 'list 500 Pods',
    clients,
    count: 400,
    first: 0,
    request: plan('GET', pods(SOME)),
    ...(clients === 16 ? { goal: 350 } : {}),
  })),
  ...[1, 4].map((clients) => ({
    what: 'list 10,000 Pods',
    clients,
    count: 40,
    first: 0,
    request: plan('GET', pods(MANY)),
    ...(clients === 4 ? { goal: 19 } : {}),
  })),
  {
    what: 'delete Pod',
    clients: 16,
    count: SCRATCH_PODS,
    first: 0,
    request: plan('DELETE', `${pods(SCRATCH)}/pod-{i}?gracePeriodSeconds=0`),
  },
];

/** What must be there before the rows: the Pods that are read, with a status. */
export const FILLING: readonly ApiRow[] = [
  { namespace: MANY, count: MANY_PODS },
  { namespace: SOME, count: SOME_PODS },
].flatMap(({ namespace, count }) => [
  {
    what: `fill ${namespace}`,
    clients: 64,
    count,
    first: 0,
    request: plan('POST', pods(namespace), { body: benchPodJson('pod-{i}') }),
  },
  {
    what: `status in ${namespace}`,
    clients: 64,
    count,
    first: 0,
    request: plan('PUT', `${pods(namespace)}/pod-{i}/status`, {
      body: benchPodStatusJson('pod-{i}'),
    }),
  },
]);
