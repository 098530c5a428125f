// Writes of status: what else of an object they change, kind by kind, and who owns it then.
// Invariant: as upstream's kinds let them: spec never; metadata but for what the kind keeps.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ApiCaller, Json, OpenCaller } from '../../support/api-caller.ts';

const NS = 'namespaces/default';
const PODS = `/api/v1/${NS}/pods`;
const CRON_JOBS = `/apis/batch/v1/${NS}/cronjobs`;
const DEPLOYMENTS = `/apis/apps/v1/${NS}/deployments`;
const ATTACHMENTS = '/apis/storage.k8s.io/v1/volumeattachments';
const MERGE = 'application/merge-patch+json';
const name = 'written';
const spec = { containers: [{ name: 'c', image: 'i' }] };
const labelled = { metadata: { labels: { app: 'web' } }, spec };
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: 'u' };
const status = { lastScheduleTime: '2026-01-01T00:00:00Z' };
/** What writers may say of an object. */
const told = {
  annotations: { a: 'b' },
  finalizers: ['example.com/hold'],
  labels: { l: 'm' },
  ownerReferences: [owner],
};

type Part = keyof typeof told;

const KINDS: readonly (readonly [path: string, object: object, kept: readonly Part[]])[] = [
  [
    CRON_JOBS,
    {
      spec: {
        schedule: '0 0 * * *',
        jobTemplate: { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } },
      },
    },
    [],
  ],
  [
    DEPLOYMENTS,
    { spec: { selector: { matchLabels: { app: 'web' } }, template: labelled } },
    ['labels'],
  ],
  [PODS, { spec }, ['ownerReferences']],
  [
    ATTACHMENTS,
    { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    ['annotations', 'finalizers', 'labels', 'ownerReferences'],
  ],
];

/** Holds for every way to a server, over every storage. */
export function writingStatusContract(open: OpenCaller): void {
  let api: ApiCaller;
  beforeAll(async () => {
    api = await open();
    const account = { metadata: { name: 'default' } };
    await api.call('POST', `/api/v1/${NS}/serviceaccounts`, { body: account });
  });
  afterAll(() => api.close());
  const merge = (path: string, body: object) => api.call('PATCH', path, { body, type: MERGE });
  const make = async (path: string, object: object, metadata: object = {}): Promise<Json> => {
    const body = { ...object, metadata: { name, ...metadata } };
    const { status, json } = await api.call('POST', path, { body });
    expect([status, json.message]).toEqual([201, undefined]);
    return json;
  };
  const gone = async (path: string) => {
    await merge(`${path}/${name}`, { metadata: { finalizers: null } });
    await api.call('DELETE', `${path}/${name}?gracePeriodSeconds=0&propagationPolicy=Background`);
  };

  it.each(KINDS)(
    'of %s change metadata but for what the kind keeps',
    async (path, object, kept) => {
      await make(path, object);
      const { status, json } = await merge(`${path}/${name}/status`, { metadata: told });
      expect([status, json.message]).toEqual([200, undefined]);
      const parts = Object.keys(told) as Part[];
      const written = Object.fromEntries(parts.map((part) => [part, json.metadata[part]]));
      const expected = parts.map((part) => [part, kept.includes(part) ? undefined : told[part]]);
      expect(written).toEqual(Object.fromEntries(expected));
      await gone(path);
    },
  );

  it('leave spec, names and times as they are', async () => {
    const [, object] = KINDS[0] as (typeof KINDS)[number];
    const made = await make(CRON_JOBS, object);
    const metadata = { ...made.metadata, creationTimestamp: '2001-01-01T00:00:00Z', generation: 9 };
    const body = {
      ...made,
      metadata,
      spec: { ...made.spec, suspend: true },
      status,
    };
    const { json } = await api.call('PUT', `${CRON_JOBS}/${name}/status`, { body });
    expect([json.spec, json.status]).toEqual([made.spec, status]);
    expect(json.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp);
    expect(json.metadata.generation).toBe(1);
    await gone(CRON_JOBS);
  });

  it('own what they change of metadata, as writers through the path of status', async () => {
    const [, object] = KINDS[0] as (typeof KINDS)[number];
    await make(CRON_JOBS, object);
    const body = { metadata: { annotations: { a: 'b' } }, status };
    const { json } = await merge(`${CRON_JOBS}/${name}/status?fieldManager=m`, body);
    const mine = json.metadata.managedFields?.find(({ manager }) => manager === 'm');
    expect(mine).toMatchObject({ subresource: 'status' });
    expect(mine?.fieldsV1).toEqual({
      'f:metadata': { 'f:annotations': { '.': {}, 'f:a': {} } },
      'f:status': { 'f:lastScheduleTime': {} },
    });
    await gone(CRON_JOBS);
  });

  it('may be applied with metadata, and own it', async () => {
    const [, object] = KINDS[0] as (typeof KINDS)[number];
    await make(CRON_JOBS, object);
    const body = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name, annotations: { a: 'b' } },
      status,
    };
    const type = 'application/apply-patch+yaml';
    const path = `${CRON_JOBS}/${name}/status?fieldManager=m`;
    const { json } = await api.call('PATCH', path, { body, type });
    expect(json.metadata.annotations).toEqual({ a: 'b' });
    const mine = json.metadata.managedFields?.find(({ manager }) => manager === 'm');
    expect(mine?.fieldsV1).toMatchObject({ 'f:metadata': { 'f:annotations': { 'f:a': {} } } });
    await gone(CRON_JOBS);
  });

  it('are refused with metadata that breaks a rule', async () => {
    const [, object] = KINDS[0] as (typeof KINDS)[number];
    await make(CRON_JOBS, object);
    const body = { metadata: { labels: { 'not a label': 'x' } } };
    const { status, json } = await merge(`${CRON_JOBS}/${name}/status`, body);
    expect([status, json.reason]).toEqual([422, 'Invalid']);
    expect(json.message).toContain('metadata.labels');
    await gone(CRON_JOBS);
  });

  it('end what is being deleted, with its last finalizer', async () => {
    const [, object] = KINDS[0] as (typeof KINDS)[number];
    await make(CRON_JOBS, object, { finalizers: ['example.com/hold'] });
    await api.call('DELETE', `${CRON_JOBS}/${name}?propagationPolicy=Background`);
    await merge(`${CRON_JOBS}/${name}/status`, { metadata: { finalizers: [] } });
    expect((await api.call('GET', `${CRON_JOBS}/${name}`)).status).toBe(404);
  });
}
