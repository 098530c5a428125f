// Reviews and their answers, without sockets: what handlers are given, what becomes of what they answer, and of their mistakes.
import { fc } from '../../../test/support/properties.ts';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { ConfigMap } from '../../../api/generated/types.ts';
import { ConfigMaps, Pods } from '../../../api/kinds.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { silentLogger } from '../../../base/logger.ts';
import { VirtualClock } from '../../../base/virtual-clock.ts';
import { allow, type AdmissionRequest, deny } from './admission.ts';
import { converting } from './conversion.ts';
import { MAX_DEPTH } from './plain-json.ts';
import { MAX_CALLS_AT_ONCE, MAX_MESSAGE_CHARS, ReviewDesk, type Webhook } from './review-desk.ts';
import { mutating, validating } from './webhook.ts';

const clock = new VirtualClock();
const never = new AbortController().signal;
const CONFIG = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'default', labels: { app: 'a' } },
  data: { key: 'value' },
};
const QUESTION = {
  uid: 'u1',
  kind: { group: '', version: 'v1', kind: 'ConfigMap' },
  resource: { group: '', version: 'v1', resource: 'configmaps' },
  name: 'a',
  namespace: 'default',
  operation: 'CREATE',
  userInfo: { username: 'jane', groups: ['dev'], extra: { scopes: ['x'] } },
  object: CONFIG,
  oldObject: null,
  dryRun: false,
  options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
};
const review = (request: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: { ...QUESTION, ...request },
});

async function ask(webhooks: Webhook | readonly Webhook[], body: object, query = '') {
  const all = Array.isArray(webhooks) ? (webhooks as Webhook[]) : [webhooks as Webhook];
  const desk = new ReviewDesk(all, { clock, logger: silentLogger });
  const target = `${all[0]?.path ?? ''}${query}`;
  const { code, body: text } = await desk.answer({
    target,
    text: JSON.stringify(body),
    signal: never,
  });
  return { code, text, response: code === 200 ? JSON.parse(text).response : undefined };
}
const patchOf = (response: { patch?: string }) =>
  JSON.parse(Buffer.from(response.patch ?? '', 'base64').toString());

describe('a validating webhook', () => {
  it('is given the question, typed and frozen', async () => {
    let seen: AdmissionRequest | undefined;
    const webhook = validating(ConfigMaps, {
      admit(request) {
        seen = request;
        // The type follows from the operations: there is an object, always.
        expect(request.object.data?.['key']).toBe('value');
        return allow();
      },
    });
    const { response } = await ask(webhook, review({ dryRun: true }));
    expect(response).toEqual({ uid: 'u1', allowed: true });
    expect(seen).toMatchObject({
      uid: 'u1',
      operation: 'CREATE',
      name: 'a',
      namespace: 'default',
      user: { username: 'jane', groups: ['dev'], extra: { scopes: ['x'] } },
      dryRun: true,
      options: { fieldManager: 'kubectl' },
      object: CONFIG,
    });
    expect(seen?.oldObject).toBeUndefined();
    expect(seen?.subresource).toBeUndefined();
    expect(Object.isFrozen(seen?.object?.metadata.labels)).toBe(true);
  });

  it('is given the old object of a deletion, and no object', async () => {
    const webhook = validating(ConfigMaps, {
      operations: ['DELETE'],
      admit: ({ object, oldObject }) => (object === undefined ? deny(oldObject.kind) : allow()),
    });
    const { response } = await ask(
      webhook,
      review({ operation: 'DELETE', object: null, oldObject: CONFIG }),
    );
    expect(response).toMatchObject({ allowed: false, status: { message: 'ConfigMap' } });
  });

  it('refuses with reason, code and causes, warns and annotates', async () => {
    const causes = [{ reason: 'FieldValueInvalid', field: 'data.key', message: 'too short' }];
    const notes = { warnings: ['soon gone'], auditAnnotations: { rule: 'short' } };
    const deciding = (admit: () => ReturnType<typeof deny>) => validating(ConfigMaps, { admit });
    const cases = [
      [
        deny('no'),
        { status: 'Failure', message: 'no', reason: 'Forbidden', code: 403, details: {} },
      ],
      [
        deny('no', { reason: 'Invalid', causes }),
        { reason: 'Invalid', code: 422, details: { causes } },
      ],
      [deny('no', { code: 409 }), { code: 409 }],
      [deny('no', { reason: 'Invalid', code: 400 }), { reason: 'Invalid', code: 400 }],
    ] as const;
    for (const [verdict, status] of cases) {
      const { response } = await ask(
        deciding(() => verdict),
        review(),
      );
      expect(response).toMatchObject({ uid: 'u1', allowed: false, status });
    }
    const { response } = await ask(validating(ConfigMaps, { admit: () => allow(notes) }), review());
    expect(response).toEqual({ uid: 'u1', allowed: true, ...notes });
    expect(() => deny('no', { code: 200 })).toThrow('the code 200 does not refuse anything');
  });
});

describe('a mutating webhook', () => {
  it('answers the changed object, of which a small patch is made', async () => {
    const webhook = mutating(ConfigMaps, {
      admit: ({ object }) => ({ ...object, data: { ...object.data, more: 'x' } }),
    });
    const { response } = await ask(webhook, review());
    expect(response).toMatchObject({ uid: 'u1', allowed: true, patchType: 'JSONPatch' });
    expect(patchOf(response)).toEqual([{ op: 'add', path: '/data/more', value: 'x' }]);
  });

  it('leaves the object by answering nothing, the same, an equal one, or allow()', async () => {
    const answers: readonly ((object: typeof CONFIG) => any)[] = [
      () => undefined,
      (object) => object,
      (object) => structuredClone(object),
      () => allow(),
      () => Promise.resolve(),
    ];
    for (const answer of answers) {
      const webhook = mutating(ConfigMaps, {
        admit: ({ object }) => answer(object as typeof CONFIG),
      });
      const { response } = await ask(webhook, review());
      expect(response).toEqual({ uid: 'u1', allowed: true });
    }
  });

  it('changes and warns, or refuses', async () => {
    const changing = mutating(ConfigMaps, {
      admit: ({ object }) => allow({ object: { ...object, data: {} }, warnings: ['emptied'] }),
    });
    const { response } = await ask(changing, review());
    expect(response).toMatchObject({ allowed: true, warnings: ['emptied'] });
    expect(patchOf(response)).toEqual([{ op: 'remove', path: '/data/key' }]);
    const refusing = mutating(ConfigMaps, { admit: () => deny('no') });
    expect((await ask(refusing, review())).response).toMatchObject({ allowed: false });
  });

  it('keeps whole numbers of 64 bits as they are', async () => {
    const text = JSON.stringify(review({ object: { ...CONFIG, big: 1 } }));
    const webhook = mutating(ConfigMaps, {
      admit: ({ object }) => ({ ...object, copy: [(object as never as { big: bigint }).big] }),
    });
    const desk = new ReviewDesk([webhook], { clock, logger: silentLogger });
    const { body } = await desk.answer({
      target: webhook.path,
      text: text.replace('"big":1', '"big":9007199254740993'),
      signal: never,
    });
    const { patch } = JSON.parse(body).response;
    expect(Buffer.from(patch, 'base64').toString()).toContain('[9007199254740993]');
  });
});

const nested = (depth: number) => {
  let value: object = {};
  for (let level = 1; level < depth; level++) value = { a: value };
  return value;
};

describe('a mistake in a handler is told with its mend', () => {
  const objectOf = (request: AdmissionRequest) => request.object as unknown as typeof CONFIG;
  const CASES: readonly (readonly [
    string,
    'v' | 'm',
    (request: AdmissionRequest) => any,
    string,
  ])[] = [
    ['throws', 'v', () => Promise.reject(new Error('no route')), 'admit of NAME failed: no route'],
    ['throws no error', 'v', () => Promise.reject('odd' as never), 'admit of NAME failed: odd'],
    ['answers nothing', 'v', () => undefined, "answered nothing: return allow() or deny('why')"],
    ['answers true', 'v', () => true, "answered the boolean true: return allow() or deny('why')"],
    [
      'answers a part of the API',
      'v',
      () => ({ allowed: true }),
      'an object with the fields allowed',
    ],
    [
      'changes what it checks',
      'v',
      (r) => allow({ object: { ...r.object! } }),
      'only mutating webhooks',
    ],
    [
      'changes in place',
      'm',
      (r) => {
        objectOf(r).data.key = 'x';
        return r.object;
      },
      'which is frozen (Cannot assign to read only property',
    ],
    [
      'adds in place',
      'm',
      (r) => Object.assign(objectOf(r).metadata.labels, { b: 'c' }),
      'return a changed copy',
    ],
    [
      'answers a part of the object',
      'm',
      () => ({ metadata: { labels: { a: 'b' } } }),
      'an object with the fields metadata: return the whole changed object',
    ],
    [
      'answers a patch',
      'm',
      () => [{ op: 'remove', path: '/data' }],
      'answered a list: return the whole',
    ],
    ['answers false', 'm', () => false, 'answered the boolean false: return the whole'],
    [
      'answers a date',
      'm',
      (r) => ({ ...r.object!, data: { at: new Date(0) } }),
      'data.at is a Date: write it as text',
    ],
    [
      'answers an undefined item',
      'm',
      (r) => ({ ...r.object!, list: [1, undefined] }),
      'list[1] is undefined',
    ],
    [
      'answers a promise inside',
      'm',
      (r) => ({ ...r.object!, data: Promise.resolve() }),
      'await it',
    ],
    [
      'answers what is nested too deeply',
      'm',
      (r) => ({ ...r.object!, data: nested(MAX_DEPTH + 1) }),
      'answered what JSON cannot hold: data.a.a',
    ],
    ['answers NaN', 'm', (r) => ({ ...r.object!, data: { n: Number.NaN } }), 'data.n is NaN'],
    [
      'answers a map',
      'm',
      (r) => ({ ...r.object!, data: new Map() }),
      'data is a Map, no plain object',
    ],
    [
      'asks a client that it was not given',
      'v',
      ((_: AdmissionRequest, { client }: { client: object }) => (client ? allow() : 0)) as never,
      'there is no client: give serveWebhooks its `tools`',
    ],
    ['warns with no text', 'v', () => allow({ warnings: [7 as never] }), 'that are no texts'],
    ['warns without a list', 'v', () => allow({ warnings: 'x' as never }), 'that are no texts'],
  ];
  for (const [what, sort, admit, words] of CASES)
    it(`it ${what}`, async () => {
      const name = 'a.test.local';
      const webhook =
        sort === 'v'
          ? validating(ConfigMaps, { name, admit: admit as never })
          : mutating(ConfigMaps, { name, admit: admit as never });
      const { code, text } = await ask(webhook, review());
      expect(code).toBe(500);
      expect(text).toContain(words.replace('NAME', name));
    });

  it('is cut where its words are too many', async () => {
    const throwing = () => Promise.reject(new Error('x'.repeat(MAX_MESSAGE_CHARS)));
    const { text } = await ask(validating(ConfigMaps, { admit: throwing }), review());
    expect(text).toHaveLength(MAX_MESSAGE_CHARS);
    expect(text).toContain('failed: xxx');
  });

  it('it never ends, and the others go on', async () => {
    const signals: AbortSignal[] = [];
    const hanging = validating(ConfigMaps, {
      admit: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
    });
    const fine = validating(Pods, { admit: () => allow() });
    const desk = new ReviewDesk([hanging, fine], { clock, logger: silentLogger });
    const call = (webhook: Webhook, body: object) =>
      desk.answer({
        target: `${webhook.path}?timeout=2s`,
        text: JSON.stringify(body),
        signal: never,
      });
    const waiting = Array.from({ length: MAX_CALLS_AT_ONCE }, () => call(hanging, review()));
    const beyond = await call(hanging, review());
    expect(beyond.code).toBe(429);
    expect(beyond.body).toContain('100 calls of validate.configmaps.core have not ended');
    const pod = { ...CONFIG, kind: 'Pod' };
    const resource = { group: '', version: 'v1', resource: 'pods' };
    expect((await call(fine, review({ resource, object: pod }))).code).toBe(200);
    await clock.advance(1_799);
    expect(signals.some(({ aborted }) => aborted)).toBe(false);
    await clock.advance(1);
    for (const each of await Promise.all(waiting)) {
      expect(each.code).toBe(500);
      expect(each.body).toBe(
        'validate.configmaps.core did not answer within 1800 ms: let it do less, or raise timeoutSeconds (30 at most)',
      );
    }
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    // Calls that do not heed their signal have not ended.
    expect((await call(hanging, review())).code).toBe(429);
  });

  it('nobody waits for it: the handler is told, and its place is free once it ends', async () => {
    const own = new VirtualClock();
    const webhook = validating(ConfigMaps, {
      admit: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
    });
    const desk = new ReviewDesk([webhook], { clock: own, logger: silentLogger });
    const text = JSON.stringify(review());
    for (let i = 0; i <= MAX_CALLS_AT_ONCE; i++) {
      const each = new AbortController();
      const reply = desk.answer({ target: webhook.path, text, signal: each.signal });
      each.abort();
      expect((await reply).body).toBe('nobody waits for the answer any more');
    }
    await own.advance(0);
    expect(own.pendingTimers).toBe(0);
  });
});

describe('a question that is none', () => {
  const webhook = validating(ConfigMaps, { name: 'a.test.local', admit: () => allow() });
  const deep = JSON.parse(`${'['.repeat(MAX_DEPTH + 2)}${']'.repeat(MAX_DEPTH + 2)}`);
  const CASES: readonly (readonly [string, object, string])[] = [
    ['of no type', {}, 'expected AdmissionReview of admission.k8s.io/v1, got "" of ""'],
    [
      'of an old version',
      { ...review(), apiVersion: 'admission.k8s.io/v1beta1' },
      'got "AdmissionReview" of "admission.k8s.io/v1beta1"',
    ],
    ['a list', [], 'the body is no object'],
    ['without a request', { ...review(), request: null }, 'request is no object'],
    ['without a uid', review({ uid: '' }), 'request.uid has to be a text'],
    ['with another uid', review({ uid: 7 }), 'request.uid has to be a text'],
    [
      'about another operation',
      review({ operation: 'DELETE' }),
      'is not about the operation DELETE',
    ],
    [
      'about another resource',
      review({ resource: { group: 'apps', version: 'v1', resource: 'deployments' } }),
      'the webhook a.test.local is not about deployments of apps/v1: compare the rules',
    ],
    ['about a subresource', review({ subResource: 'status' }), 'not about configmaps/status of v1'],
    ['about what is no object', review({ object: { metadata: {} } }), 'lacks apiVersion, kind or'],
    ['without its object', review({ object: null }), 'lacks the object'],
    ['of an update without the old object', review({ operation: 'UPDATE' }), 'lacks the object'],
    ['about a user that is none', review({ userInfo: 'jane' }), 'request.userInfo is no object'],
    [
      'nested too deeply',
      review({ object: { ...CONFIG, deep } }),
      `deeper than ${MAX_DEPTH} levels`,
    ],
  ];
  for (const [what, body, words] of CASES)
    it(`is refused: ${what}`, async () => {
      const { code, text } = await ask(webhook, body);
      expect(text).toContain(words);
      expect(code).toBe(400);
    });

  it('is refused: no JSON, and no webhook', async () => {
    const desk = new ReviewDesk([webhook], { clock, logger: silentLogger });
    const broken = await desk.answer({ target: webhook.path, text: '{"a"', signal: never });
    expect(broken).toMatchObject({ code: 400, body: expect.stringContaining('is not JSON: ') });
    const unknown = await desk.answer({ target: '/x?y', text: '{}', signal: never });
    expect(unknown).toMatchObject({
      code: 404,
      body: 'no webhook is served at /x; there are /a.test.local',
    });
  });
});

describe('hostile reviews', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  /** The review with one of its parts, at whatever depth, replaced by anything or taken out. */
  const bent = (whole: object) =>
    fc.tuple(fc.nat(40), fc.option(value, { nil: undefined })).map(([at, put]) => {
      const copy = structuredClone(whole) as Record<string, unknown>;
      const places: (readonly [Record<string, unknown>, string])[] = [];
      const walk = (object: Record<string, unknown>): void => {
        for (const [key, part] of Object.entries(object)) {
          places.push([object, key]);
          if (typeof part === 'object' && part !== null) walk(part as Record<string, unknown>);
        }
      };
      walk(copy);
      const [object, key] = places[at % places.length]!;
      if (put === undefined) delete object[key];
      else object[key] = put;
      return copy;
    });
  const refuses = (webhook: Webhook, whole: object) =>
    fc.assert(
      fc.asyncProperty(fc.oneof(bent(whole), value), async (body) => {
        const { code, response } = await ask(webhook, body as object);
        expect([200, 400]).toContain(code);
        if (code === 200) expect(body).toMatchObject({ request: { uid: response.uid } });
      }),
      { numRuns: 1000 },
    );

  it('are refused as such or answered, never a fault of the handler', async () => {
    await refuses(validating(ConfigMaps, { admit: () => allow() }), review());
    const unchanged = mutating(ConfigMaps, { admit: ({ object }) => ({ ...object }) });
    await refuses(unchanged, review({ operation: 'UPDATE', oldObject: CONFIG }));
    const ref = { group: 'a.io', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const object = { apiVersion: 'a.io/v1', kind: 'A', metadata: { name: 'a' } };
    const request = { uid: 'u', desiredAPIVersion: 'a.io/v2', objects: [object, object] };
    await refuses(converting(ref, { 'v1→v2': (each) => ({ ...each }) }), {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request,
    });
  });

  it('are told by what is odd about them, where that has no text of its own', async () => {
    const odd = { toString: false };
    const ref = { group: 'a.io', version: 'v1', kind: 'A', plural: 'as', namespaced: true };
    const webhook = converting(ref, { 'v1→v2': (each) => ({ ...each }) });
    const convert = (object: object) =>
      ask(webhook, {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        request: { uid: 'u', desiredAPIVersion: 'a.io/v2', objects: [object] },
      });
    const metadata = { name: 'a' };
    const version = await convert({ apiVersion: odd, kind: 'A', metadata });
    expect(version.response.result.message).toContain('has no version an object with');
    const name = await convert({
      apiVersion: 'b.io/v1',
      kind: 'A',
      metadata: { name: odd, namespace: odd },
    });
    expect(name.response.result.message).toContain('has no version "b.io/v1"');
  });
});

describe('types', () => {
  it('follow from the kind and the operations', () => {
    validating(ConfigMaps, {
      admit({ object, oldObject, operation }) {
        expectTypeOf(object).toEqualTypeOf<ConfigMap>();
        expectTypeOf(oldObject).toEqualTypeOf<ConfigMap | undefined>();
        expectTypeOf(operation).toEqualTypeOf<'CREATE' | 'UPDATE'>();
        return allow();
      },
    });
    validating(ConfigMaps, {
      operations: ['DELETE'],
      admit({ object, oldObject }) {
        expectTypeOf(object).toEqualTypeOf<undefined>();
        expectTypeOf(oldObject).toEqualTypeOf<ConfigMap>();
        return allow();
      },
    });
    validating(Pods, {
      operations: ['CREATE'],
      subresource: 'eviction',
      admit({ object }) {
        expectTypeOf(object).toEqualTypeOf<LooseObject>();
        return allow();
      },
    });
    // @ts-expect-error a validating webhook has to answer
    validating(ConfigMaps, { admit: () => undefined });
    // @ts-expect-error and changes nothing
    validating(ConfigMaps, { admit: ({ object }) => object });
    // @ts-expect-error what goes cannot be changed
    mutating(ConfigMaps, { operations: ['DELETE'], admit: () => undefined });
    // @ts-expect-error a part is no object
    mutating(ConfigMaps, { admit: () => ({ metadata: {} }) });
    mutating(ConfigMaps, { admit: ({ object }) => ({ ...object, data: {} }) });
  });
});

describe('a conversion', () => {
  const Backups = {
    group: 'example.com',
    version: 'v1',
    kind: 'Backup',
    plural: 'backups',
    namespaced: true,
  };
  const backup = (version: string, spec: object, name = 'b') => ({
    apiVersion: `example.com/${version}`,
    kind: 'Backup',
    metadata: { name, namespace: 'default', uid: 'u', labels: { a: 'b' } },
    spec,
  });
  const question = (objects: readonly unknown[], desired = 'v2') => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: { uid: 'c1', desiredAPIVersion: `example.com/${desired}`, objects },
  });
  type AnySpec = { spec: any }; // oxlint-disable-line no-explicit-any
  const webhook = converting(Backups, {
    'v1alpha1→v1': (object) => ({
      ...object,
      spec: { hours: (object as never as AnySpec).spec.h },
    }),
    'v1->v2': (object) => ({
      ...object,
      spec: { minutes: (object as never as AnySpec).spec.hours * 60 },
    }),
    'v2→v1': (object) => {
      if ((object as never as AnySpec).spec.minutes === undefined) throw new Error('no minutes');
      return { ...object, spec: { hours: (object as never as AnySpec).spec.minutes / 60 } };
    },
  });

  it('takes the steps that there are, one after the other', async () => {
    const objects = [backup('v1', { hours: 1 }), backup('v1alpha1', { h: 2 }), backup('v2', {})];
    const { response } = await ask(webhook, question(objects));
    expect(response).toEqual({
      uid: 'c1',
      result: { status: 'Success' },
      convertedObjects: [
        backup('v2', { minutes: 60 }),
        backup('v2', { minutes: 120 }),
        backup('v2', {}),
      ],
    });
  });

  it('converts all or nothing, and says which object and step', async () => {
    const objects = [backup('v2', { minutes: 60 }), backup('v2', {}, 'bad')];
    const { response } = await ask(webhook, question(objects, 'v1'));
    expect(response).toEqual({
      uid: 'c1',
      result: {
        status: 'Failure',
        message: 'default/bad: the converter v2→v1 failed: no minutes',
      },
    });
  });

  const bad = (
    convert: (object: any) => any, // oxlint-disable-line no-explicit-any
  ) => converting(Backups, { 'v1→v2': convert });
  const CASES: readonly (readonly [string, Webhook, object, string])[] = [
    [
      'no way there',
      webhook,
      backup('v2', {}),
      "no converter leads from v2 to v1alpha1: give backups.example.com a converter 'v2→v1alpha1'",
    ],
    ['nothing answered', bad(() => undefined), backup('v1', {}), 'answered no object'],
    [
      'another name',
      bad((o) => ({ ...o, metadata: { ...o.metadata, name: 'c' } })),
      backup('v1', {}),
      'the converter v1→v2 changed metadata.name: of metadata only labels',
    ],
    ['no metadata', bad(({ spec }) => ({ spec })), backup('v1', {}), 'changed metadata:'],
    [
      'a change in place',
      bad((o) => Object.assign(o, { spec: 1 })),
      backup('v1', {}),
      'it changes the object it was given, which is frozen',
    ],
    ['a date', bad((o) => ({ ...o, spec: new Date(0) })), backup('v1', {}), 'spec is a Date'],
    ['another group', webhook, { ...backup('v1', {}), apiVersion: 'v1' }, 'has no version "v1"'],
    [
      'another kind',
      webhook,
      { ...backup('v1', {}), kind: 'Pod' },
      'has no objects of the kind Pod',
    ],
    ['no object', webhook, [1], 'is no object'],
  ];
  for (const [what, asked, object, words] of CASES)
    it(`fails with the mend: ${what}`, async () => {
      const { response } = await ask(
        asked,
        question([object], asked === webhook ? 'v1alpha1' : 'v2'),
      );
      expect(response.result.status).toBe('Failure');
      expect(response.result.message).toContain(words);
      expect(response.convertedObjects).toBeUndefined();
    });

  it('may change labels and annotations', async () => {
    const labelled = bad((o) => ({
      ...o,
      metadata: { ...o.metadata, labels: undefined, annotations: { from: 'v1' } },
    }));
    const { response } = await ask(labelled, question([backup('v1', {})]));
    const [{ metadata }] = response.convertedObjects;
    expect(metadata).toEqual({
      name: 'b',
      namespace: 'default',
      uid: 'u',
      annotations: { from: 'v1' },
    });
  });
});

describe('a webhook that cannot be', () => {
  const admit = () => allow();
  const CASES: readonly (readonly [string, () => unknown, string])[] = [
    ['a short name', () => validating(Pods, { name: 'a.b', admit }), 'no DNS name of three labels'],
    ['no function', () => validating(Pods, {} as never), 'has no function admit(request)'],
    ['no operations', () => validating(Pods, { operations: [], admit }), 'names no operations'],
    ['no time', () => validating(Pods, { timeoutSeconds: 0, admit }), 'give 1 to 30'],
    ['too much time', () => mutating(Pods, { timeoutSeconds: 31, admit }), 'give 1 to 30'],
    ['no steps', () => converting(Pods, {}), 'has no converters'],
    ['a step to itself', () => converting(Pods, { 'v1→v1': () => ({}) }), 'is none'],
    ['a step to nowhere', () => converting(Pods, { 'v1→': () => ({}) }), 'is none'],
  ];
  for (const [what, make, words] of CASES)
    it(`is refused where it is made: ${what}`, () => {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(words);
    });

  it('is refused beside another of its name', () => {
    const twice = [validating(Pods, { admit }), validating(Pods, { admit })];
    expect(() => new ReviewDesk(twice, { clock, logger: silentLogger })).toThrow(
      'two webhooks are called validate.pods.core: give one another name',
    );
  });
});
