// Conversion of custom resources by webhook: every verb in every version, and webhooks that fail, hang, lie or say too much.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LooseObject } from '../../api/meta/object.ts';
import {
  CONVERSION_TIMEOUT_MS,
  MAX_REVIEW_OBJECTS,
  MAX_REVIEWS_AT_ONCE,
} from '../../apiserver/extensions/webhook-conversion.ts';
import { MAX_WAITING_READERS } from '../../apiserver/registry/served-objects.ts';
import { systemClock } from '../../base/clock.ts';
import { type ApiCaller, anApiCaller, type Json } from '../support/api-caller.ts';
import { until } from '../support/until.ts';
import {
  type Answering,
  aWebhookServer,
  type Review,
  type WebhookServer,
} from '../support/webhook-server.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MERGE = 'application/merge-patch+json';
const APPLY = 'application/apply-patch+yaml';
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

const text = { type: 'string' };
const schemaOf = (spec: object) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { replicas: { type: 'integer' }, ...spec } },
      status: { type: 'object', properties: { replicas: { type: 'integer' }, ...spec } },
    },
  },
});
const PARTS = {
  served: true,
  subresources: {
    status: {},
    scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
  },
};

/** v1 has `hostPort`; v2 has `host` and `port`. */
function converted(object: LooseObject, apiVersion: string): LooseObject {
  const turn = (part: Json['spec'] | undefined) => {
    if (!part) return undefined;
    const { hostPort, host, port, ...rest } = part as Record<string, string>;
    if (apiVersion.endsWith('v1')) return host ? { ...rest, hostPort: `${host}:${port}` } : rest;
    const [h, p] = (hostPort ?? '').split(':');
    return h ? { ...rest, host: h, port: p } : rest;
  };
  const { spec, status } = object as Json;
  return {
    ...object,
    apiVersion,
    ...(spec && { spec: turn(spec) }),
    ...(status && { status: turn(status) }),
  };
}

const right = ({ request }: Review) => ({
  convertedObjects: request.objects.map((one: LooseObject) =>
    converted(one, request.desiredAPIVersion),
  ),
  result: { status: 'Success' },
});

/** As `right`, but for what is done to the first object. */
const lying =
  (change: (object: Json) => unknown): Answering =>
  (review) => {
    const answer = right(review) as { convertedObjects: unknown[] };
    answer.convertedObjects[0] = change(answer.convertedObjects[0] as Json);
    return answer;
  };

let hook: WebhookServer;
let api: ApiCaller;
beforeAll(async () => {
  hook = await aWebhookServer();
  api = await anApiCaller({ backend: 'lmdb' });
});
afterAll(async () => {
  await api?.close();
  await hook?.close();
});

let count = 0;
/** A group of its own for each test, so that tests do not meet. */
let group: string;
let url: string;
const path = (version: string) => `/apis/${group}/${version}/namespaces/default/hosts`;

function definition(storage: string, conversion: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `hosts.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'hosts', kind: 'Host' },
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig: hook.at('/convert'), conversionReviewVersions: ['v1'] },
        ...conversion,
      },
      versions: [
        {
          ...PARTS,
          name: 'v1',
          storage: storage === 'v1',
          schema: schemaOf({ hostPort: text }),
          additionalPrinterColumns: [{ name: 'At', type: 'string', jsonPath: '.spec.hostPort' }],
          selectableFields: [{ jsonPath: '.spec.hostPort' }],
        },
        {
          ...PARTS,
          name: 'v2',
          storage: storage === 'v2',
          schema: schemaOf({ host: text, port: text }),
          additionalPrinterColumns: [{ name: 'Host', type: 'string', jsonPath: '.spec.host' }],
        },
      ],
    },
  };
}

async function define(storage = 'v1', conversion: object = {}): Promise<void> {
  const { status, text: said } = await api.call('POST', CRDS, {
    body: definition(storage, conversion),
  });
  expect(status, said).toBe(201);
  await until(async () => (await api.call('GET', path('v1'))).status === 200);
}

const host = (version: string, name: string, spec: object) => ({
  apiVersion: `${group}/${version}`,
  kind: 'Host',
  metadata: { name },
  spec,
});

async function make(version: string, name: string, spec: object): Promise<Json> {
  const made = await api.call('POST', path(version), { body: host(version, name, spec) });
  expect(made.status, made.text).toBe(201);
  return made.json;
}

beforeEach(() => {
  count += 1;
  group = `g${count}.example.com`;
  url = `${CRDS}/hosts.${group}`;
  hook.on('/convert', right);
});

describe('Conversion by webhook', () => {
  it('reads and writes in every version, and stores in one', async () => {
    await define();
    expect((await make('v2', 'a', { host: 'x', port: '1' })).spec).toEqual({
      host: 'x',
      port: '1',
    });
    const get = async (version: string) => (await api.call('GET', `${path(version)}/a`)).json;
    expect(await get('v1')).toMatchObject({ apiVersion: `${group}/v1`, spec: { hostPort: 'x:1' } });
    expect(await get('v2')).toMatchObject({ apiVersion: `${group}/v2`, spec: { host: 'x' } });
    const { items } = await api.storage.page(`/registry/${group}/`, {});
    expect(Buffer.from(items[0]?.bytes ?? []).toString()).toMatch(/"hostPort":"x:1"/);
    const put = await api.call('PUT', `${path('v2')}/a`, {
      body: { ...(await get('v2')), spec: { host: 'y', port: '2' } },
    });
    expect(put.json).toMatchObject({ metadata: { generation: 2 }, spec: { host: 'y', port: '2' } });
    const patched = await api.call('PATCH', `${path('v2')}/a`, {
      body: { spec: { port: '3' } },
      type: MERGE,
    });
    expect(patched.json.spec).toEqual({ host: 'y', port: '3' });
    const status = await api.call('PATCH', `${path('v2')}/a/status`, {
      body: { status: { host: 's', port: '9' } },
      type: MERGE,
    });
    expect(status.json).toMatchObject({ metadata: { generation: 3 }, status: { host: 's' } });
    expect((await get('v1')).status).toEqual({ hostPort: 's:9' });
    const scaled = await api.call('PATCH', `${path('v2')}/a/scale`, {
      body: { spec: { replicas: 4 } },
      type: MERGE,
    });
    expect(scaled.json.spec).toEqual({ replicas: 4 });
    expect((await get('v1')).spec).toEqual({ hostPort: 'y:3', replicas: 4 });
    const dry = await api.call('DELETE', `${path('v2')}/a?dryRun=All`);
    expect(dry.status).toBe(200);
    expect((await api.call('DELETE', `${path('v2')}/a`)).status).toBe(200);
    expect((await api.call('GET', `${path('v2')}/a`)).status).toBe(404);
  });

  it('asks once for many objects, and once for each object and version whoever reads', async () => {
    await define();
    for (const name of ['a', 'b', 'c']) await make('v1', name, { hostPort: `${name}:1` });
    const before = hook.reviews('/convert').length;
    const list = await api.call('GET', path('v2'));
    expect(list.json.items.map(({ spec }) => spec)).toEqual(
      ['a', 'b', 'c'].map((name) => ({ host: name, port: '1' })),
    );
    const asked = hook.reviews('/convert').slice(before);
    expect(asked.map(({ request }) => request.objects.length)).toEqual([3]);
    expect(asked[0]).toMatchObject({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request: { desiredAPIVersion: `${group}/v2`, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    await api.call('GET', path('v2'));
    await api.call('GET', `${path('v2')}/b`);
    // Nobody is asked for what is stored in the version that is read.
    await api.call('GET', path('v1'));
    expect(hook.reviews('/convert').length).toBe(before + 1);
  });

  it('asks once for each object of a list that is read page by page while others write', async () => {
    await define();
    for (const name of ['a', 'b', 'c']) await make('v1', name, { hostPort: `${name}:1` });
    const names = async () => {
      const first = await api.call('GET', `${path('v2')}?limit=1`);
      await make('v2', `late-${count++}`, { host: 'x', port: '1' });
      const token = encodeURIComponent(first.json.metadata.continue ?? '');
      const rest = await api.call('GET', `${path('v2')}?continue=${token}`);
      return rest.json.items.map(({ metadata }) => metadata.name);
    };
    expect(await names()).toEqual(['b', 'c']);
    const before = hook.reviews('/convert').length;
    expect((await names()).slice(0, 2)).toEqual(['b', 'c']);
    const asked = hook.reviews('/convert').slice(before);
    const sent = asked.flatMap(({ request }) =>
      request.objects.map(({ metadata }: LooseObject) => metadata.name),
    );
    expect(sent.filter((name) => ['a', 'b', 'c'].includes(name))).toEqual([]);
  });

  it('splits a long list into reviews of at most so many objects', async () => {
    await define();
    const names = Array.from({ length: MAX_REVIEW_OBJECTS + 1 }, (_, i) => `n${i}`);
    await Promise.all(names.map((name) => make('v1', name, { hostPort: 'x:1' })));
    const before = hook.reviews('/convert').length;
    expect((await api.call('GET', path('v2'))).json.items).toHaveLength(names.length);
    const sizes = hook
      .reviews('/convert')
      .slice(before)
      .map(({ request }) => request.objects.length);
    expect(sizes).toEqual([MAX_REVIEW_OBJECTS, 1]);
  });

  it('shows Tables, selectors and watches in the version that is asked for', async () => {
    await define('v2');
    await make('v2', 'a', { host: 'x', port: '1' });
    const table = async (version: string) =>
      ((await api.call('GET', path(version), { accept: TABLE })).json as unknown as Table).rows.map(
        ({ cells }) => cells,
      );
    expect(await table('v1')).toEqual([['a', 'x:1']]);
    expect(await table('v2')).toEqual([['a', 'x']]);
    const watching = await api.watch(`${path('v1')}?fieldSelector=spec.hostPort%3Dx:1`);
    expect((await watching.next())?.object).toMatchObject({ spec: { hostPort: 'x:1' } });
    const put = async (spec: object) =>
      api.call('PATCH', `${path('v2')}/a`, { body: { spec }, type: MERGE });
    await put({ port: '2' });
    expect(await watching.next()).toMatchObject({
      type: 'DELETED',
      object: { spec: { hostPort: 'x:1' } },
    });
    await put({ port: '1' });
    expect(await watching.next()).toMatchObject({
      type: 'ADDED',
      object: { spec: { hostPort: 'x:1' } },
    });
    await api.call('DELETE', `${path('v2')}/a`);
    expect(await watching.next()).toMatchObject({
      type: 'DELETED',
      object: { apiVersion: `${group}/v1`, spec: { hostPort: 'x:1' } },
    });
    watching.stop();
  });

  it('keeps owners in the version that each wrote in', async () => {
    await define();
    const apply = (version: string, by: string, spec: object) =>
      api.call('PATCH', `${path(version)}/a?fieldManager=${by}`, {
        body: host(version, 'a', spec),
        type: APPLY,
      });
    expect((await apply('v1', 'one', { hostPort: 'x:1' })).status).toBe(201);
    const fight = await apply('v2', 'two', { host: 'y', port: '1' });
    expect(fight.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(fight.json.message).toMatch(/conflict with "one": \.spec\.hostPort/);
    expect((await apply('v2', 'two', { host: 'x', port: '1' })).status).toBe(200);
    const forced = await apply('v2', 'two&force=true', { host: 'y', port: '1' });
    const owners = forced.json.metadata.managedFields?.map(({ manager, apiVersion, fieldsV1 }) => [
      manager,
      apiVersion,
      fieldsV1,
    ]);
    expect(owners).toEqual([['two', `${group}/v2`, { 'f:spec': { 'f:host': {}, 'f:port': {} } }]]);
    expect((await api.call('GET', `${path('v1')}/a`)).json.spec).toEqual({ hostPort: 'y:1' });
  });

  it('takes labels and annotations from the webhook, and no other metadata', async () => {
    await define();
    const made = await make('v1', 'a', { hostPort: 'x:1' });
    hook.on(
      '/convert',
      lying((one) => ({
        ...one,
        metadata: {
          ...one.metadata,
          labels: { came: 'along' },
          annotations: { also: 'here' },
          generation: 77,
          creationTimestamp: '1999-01-01T00:00:00Z',
          finalizers: ['example.com/odd'],
          ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
        },
      })),
    );
    const { json } = await api.call('GET', `${path('v2')}/a`);
    expect(json.metadata).toEqual({
      ...made.metadata,
      labels: { came: 'along' },
      annotations: { also: 'here' },
    });
  });

  it.each<[string, Answering, RegExp]>([
    [
      'is another object',
      lying((one) => ({ ...one, metadata: { ...one.metadata, uid: 'other' } })),
      /returned invalid object: must have the same UID: [0-9a-f-]+ != other/,
    ],
    [
      'has another name',
      lying((one) => ({ ...one, metadata: { ...one.metadata, name: 'b' } })),
      /must have the same name: a != b/,
    ],
    [
      'is elsewhere',
      lying((one) => ({ ...one, metadata: { ...one.metadata, namespace: 'b' } })),
      /must have the same namespace: default != b/,
    ],
    [
      'is of another kind',
      lying((one) => ({ ...one, kind: 'Guest' })),
      /returned invalid object at index 0: invalid kind \(expected Host, received Guest\)/,
    ],
    [
      'is of another version',
      lying((one) => ({ ...one, apiVersion: 'example.com/v9' })),
      /invalid groupVersion \(expected g\d+\.example\.com\/v2, received example\.com\/v9\)/,
    ],
    [
      'has no metadata',
      lying((one) => ({ ...one, metadata: undefined })),
      /must have the same name: a != /,
    ],
    [
      'has odd labels',
      lying((one) => ({ ...one, metadata: { ...one.metadata, labels: { a: 1 } } })),
      /returned invalid metadata: metadata\.labels\[a\] must be a string, but is int64 in converted object/,
    ],
    [
      'has wrong labels',
      lying((one) => ({ ...one, metadata: { ...one.metadata, labels: { 'a b': '1' } } })),
      /returned invalid metadata: metadata\.labels: Invalid value: "a b"/,
    ],
    ['is no object', lying(() => 'nothing'), /returned invalid object/],
    [
      'is nothing',
      () => ({ convertedObjects: [], result: { status: 'Success' } }),
      /returned 0 objects, expected 1/,
    ],
    [
      'says no',
      () => ({ convertedObjects: [], result: { status: 'Failure', message: 'cannot do that' } }),
      /failed: cannot do that/,
    ],
    [
      'says nothing',
      () => ({ convertedObjects: [] }),
      /failed: response\.result\.status was '', not 'Success'/,
    ],
    [
      'is for somebody else',
      (review) => ({ ...right(review), uid: 'other' }),
      /failed: expected response\.uid="[0-9a-f-]+", got "other"/,
    ],
    [
      'is an error',
      (_review, { response }) => void response.writeHead(500).end('broken'),
      /failed: an error on the server \("broken"\)/,
    ],
    [
      'is no JSON',
      (_review, { response }) => void response.writeHead(200).end('<html>'),
      /failed: Post "https:\/\/127\.0\.0\.1:\d+\/convert\?timeout=30s": the answer is not JSON/,
    ],
    [
      'is no review',
      (_review, { response }) =>
        void response.writeHead(200).end('{"kind":"Pod","apiVersion":"v1"}'),
      /failed: expected webhook response of apiextensions\.k8s\.io\/v1, Kind=ConversionReview, got \/v1, Kind=Pod/,
    ],
    [
      'is cut off',
      (_review, { response }) => void response.destroy(),
      /failed: Post "https:.*": EOF/,
    ],
    [
      'is 5 MB long',
      lying((one) => ({ ...one, spec: { host: 'x'.repeat(5_000_000), port: '1' } })),
      /failed: Post "https:.*": the answer is larger than \d+ bytes/,
    ],
  ])(
    'refuses an answer that %s, and reads again once it is right',
    async (_what, answering, message) => {
      await define();
      await make('v1', 'a', { hostPort: 'x:1' });
      hook.on('/convert', answering);
      for (const way of [`${path('v2')}/a`, path('v2')]) {
        const { json } = await api.call('GET', way);
        expect(json).toMatchObject({ kind: 'Status', code: 500 });
        expect(json.message).toMatch(/^conversion webhook for g\d+\.example\.com\/v1, Kind=Host /);
        expect(json.message).toMatch(message);
      }
      // Nobody else is held up, and nothing was spoilt.
      expect((await api.call('GET', `${path('v1')}/a`)).status).toBe(200);
      hook.on('/convert', right);
      expect((await api.call('GET', `${path('v2')}/a`)).json.spec).toEqual({
        host: 'x',
        port: '1',
      });
    },
  );

  it('tells a watcher by an ERROR, and stores nothing that could not be converted', async () => {
    await define();
    await make('v1', 'a', { hostPort: 'x:1' });
    const { json } = await api.call('GET', path('v2'));
    const watching = await api.watch(
      `${path('v2')}?resourceVersion=${json.metadata.resourceVersion}`,
    );
    hook.on('/convert', () => ({ result: { status: 'Failure', message: 'not today' } }));
    const refused = await api.call('POST', path('v2'), { body: host('v2', 'b', { host: 'x' }) });
    expect(refused.json.message).toMatch(/Kind=Host failed: not today/);
    await make('v1', 'c', { hostPort: 'y:1' });
    expect(await watching.next()).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 500, message: expect.stringContaining('not today') },
    });
    expect(await watching.next()).toBeUndefined();
    hook.on('/convert', right);
    expect((await api.call('GET', path('v2'))).json.items).toHaveLength(2);
  });

  it('speaks the older review to a webhook that knows no other', async () => {
    hook.on('/convert', (review, { response }) => {
      const { uid: _, ...answer } = right(review) as Record<string, unknown>;
      response.end(
        JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, response: answer }),
      );
      return undefined;
    });
    const webhook = {
      clientConfig: hook.at('/convert'),
      conversionReviewVersions: ['v9', 'v1beta1'],
    };
    await define('v1', { webhook });
    await make('v1', 'a', { hostPort: 'x:1' });
    expect((await api.call('GET', `${path('v2')}/a`)).json.spec).toEqual({ host: 'x', port: '1' });
    expect(hook.reviews('/convert').at(-1)?.apiVersion).toBe('apiextensions.k8s.io/v1beta1');
  });

  it('goes on reading after the storage version has changed, and moves what is written', async () => {
    await define();
    await make('v1', 'a', { hostPort: 'x:1' });
    const { spec } = definition('v2');
    expect((await api.call('PATCH', url, { body: { spec }, type: MERGE })).status).toBe(200);
    expect((await api.call('GET', url)).json.status).toMatchObject({
      storedVersions: ['v1', 'v2'],
    });
    const one = await api.call('GET', `${path('v2')}/a`);
    expect(one.json.spec).toEqual({ host: 'x', port: '1' });
    await api.call('PUT', `${path('v2')}/a`, { body: one.json });
    const { items } = await api.storage.page(`/registry/${group}/`, {});
    expect(Buffer.from(items[0]?.bytes ?? []).toString()).toMatch(/"host":"x"/);
    expect((await api.call('GET', `${path('v1')}/a`)).json.spec).toEqual({ hostPort: 'x:1' });
  });
});

describe('A webhook that hangs', () => {
  let clock: HurriedClock;
  let asked: Promise<void>;
  let usual: ApiCaller;
  beforeEach(async () => {
    clock = new HurriedClock();
    usual = api;
    api = await anApiCaller({ clock });
    await define();
    await make('v1', 'a', { hostPort: 'x:1' });
    asked = new Promise<void>((resolve) => {
      hook.on('/convert', () => {
        resolve();
        return new Promise(() => undefined);
      });
    });
  });
  afterEach(async () => {
    await api.close();
    api = usual;
  });

  it('is given up in time, and other kinds are read meanwhile', async () => {
    const reading = api.call('GET', `${path('v2')}/a`);
    await asked;
    expect((await api.call('GET', `${path('v1')}/a`)).status).toBe(200);
    clock.ring(CONVERSION_TIMEOUT_MS);
    expect((await reading).json).toMatchObject({
      code: 500,
      message: expect.stringMatching(
        /Kind=Host failed: Post "https:.*": context deadline exceeded/,
      ),
    });
  });

  it('takes so many requests along and no more: further readers and writers are to come again', async () => {
    const many = (count: number, call: () => ReturnType<ApiCaller['call']>) =>
      Array.from({ length: count }, call);
    const reading = many(MAX_WAITING_READERS, () => api.call('GET', `${path('v2')}/a`));
    await asked;
    const later = await api.call('GET', path('v2'));
    expect(later.json).toMatchObject({ code: 429, reason: 'TooManyRequests' });
    expect(later.headers['retry-after']).toBe('1');
    const body = host('v2', 'b', { host: 'x', port: '1' });
    const dry = `${path('v2')}?dryRun=All`;
    const writing = many(MAX_REVIEWS_AT_ONCE, () => api.call('POST', dry, { body }));
    // One review is asked for all readers, and one for each writer but the last.
    const refused = await Promise.race(writing);
    expect(refused.json).toMatchObject({ code: 429 });
    expect((await api.call('GET', '/api/v1/namespaces')).status).toBe(200);
    clock.ring(CONVERSION_TIMEOUT_MS);
    const codes = (await Promise.all([...reading, ...writing])).map(({ status }) => status);
    expect(codes.filter((code) => code === 500)).toHaveLength(
      MAX_WAITING_READERS + MAX_REVIEWS_AT_ONCE - 1,
    );
    hook.on('/convert', right);
    expect((await api.call('GET', path('v2'))).status).toBe(200);
  });
});

interface Table {
  readonly rows: readonly { readonly cells: readonly unknown[] }[];
}

/** The system's clock, but timers of one length go off when the test says so. */
class HurriedClock {
  readonly #held: { readonly ms: number; readonly fn: () => void }[] = [];
  readonly now = () => systemClock.now();
  readonly monotonic = () => systemClock.monotonic();
  readonly sleep: typeof systemClock.sleep = (ms, signal) => systemClock.sleep(ms, signal);
  readonly timer: typeof systemClock.timer = (ms, fn) => {
    if (ms !== CONVERSION_TIMEOUT_MS) return systemClock.timer(ms, fn);
    this.#held.push({ ms, fn });
    return { cancel: () => undefined };
  };

  ring(ms: number): void {
    for (const timer of this.#held) if (timer.ms === ms) timer.fn();
  }
}
