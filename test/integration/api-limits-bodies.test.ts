// What a caller may send at most: at each limit the server takes it, beyond it answers with the Status that says why.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANNOTATIONS_LIMIT_BYTES } from '../../api/meta/validate-meta.ts';
import { DATA_LIMIT_BYTES } from '../../api/core/data-validation.ts';
import { MAX_SELECTOR_TERMS } from '../../api/meta/labels.ts';
import { MAX_BODY_ENTRIES } from '../../api/schema/body-entries.ts';
import { MAX_DEPTH } from '../../api/schema/decode.ts';
import { MAX_OPERATIONS } from '../../apiserver/patch/json-patch.ts';
import { BODY_LIMIT_BYTES } from '../../apiserver/options.ts';
import { MAX_YAML_BYTES } from '../../apiserver/yaml-format.ts';
import { VALUE_MAX_BYTES } from '../../apiserver/storage/write-lane.ts';
import { type Answer, startTestServer, type TestServer } from '../support/server.ts';

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DRY = `${CONFIG_MAPS}?dryRun=All`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const body = { metadata: { name: 'here' }, data: { a: 'b' } };
  await server.call('POST', CONFIG_MAPS, { body });
});
afterAll(() => server.close());

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Code, reason and message of a refusal. */
function refusal(answer: Answer): readonly [number, string, string] {
  const { kind, code, reason, message } = answer.json();
  expect([kind, code]).toEqual(['Status', answer.status]);
  return [answer.status, String(reason), String(message)];
}

const post = (body: object | string, headers: Readonly<Record<string, string>> = {}) =>
  server.call('POST', DRY, { body, headers });

describe('A body', () => {
  const padded = (bytes: number) => {
    const text = JSON.stringify({ metadata: { name: 'a' } });
    return text + ' '.repeat(bytes - text.length);
  };

  it('may have BODY_LIMIT_BYTES', async () => {
    expect((await post(padded(BODY_LIMIT_BYTES))).status).toBe(201);
    const [code, reason] = refusal(await post(padded(BODY_LIMIT_BYTES + 1)));
    expect([code, reason]).toEqual([413, 'RequestEntityTooLarge']);
  });

  it('may be MAX_DEPTH deep, and far deeper ones do no harm', async () => {
    const deep = (levels: number) =>
      `{"metadata":{"name":"a"},"data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    for (const [levels, refused] of [
      [MAX_DEPTH + 1, [400, 'BadRequest']],
      [90_000, [400, 'BadRequest']],
      [1_000_000, [413, 'RequestEntityTooLarge']],
    ] as const)
      expect(refusal(await post(deep(levels))).slice(0, 2)).toEqual(refused);
  });

  it('is taken at a depth of MAX_DEPTH, and not at one more', async () => {
    const revisions = '/apis/apps/v1/namespaces/default/controllerrevisions?dryRun=All';
    // The object is the first level, its data the second.
    const deep = (levels: number) =>
      `{"metadata":{"name":"a"},"revision":1,"data":{"a":${'['.repeat(levels - 2)}${']'.repeat(levels - 2)}}}`;
    const taken = await server.call('POST', revisions, { body: deep(MAX_DEPTH) });
    expect(taken.status, taken.text.slice(0, 200)).toBe(201);
    const [code, reason, message] = refusal(
      await server.call('POST', revisions, { body: deep(MAX_DEPTH + 1) }),
    );
    expect([code, reason]).toEqual([400, 'BadRequest']);
    expect(message).toContain('exceeded max depth');
  });

  it('may have MAX_BODY_ENTRIES keys and items', async () => {
    // The three others are metadata, its name, and data.
    const having = (entries: number) => {
      const keys = Array.from({ length: entries - 3 }, (_, i) => `"${i.toString(36)}":"",`);
      return `{"metadata":{"name":"a"},"data":{${keys.join('').slice(0, -1)}}}`;
    };
    const sent = (entries: number) => post(having(entries));
    expect((await sent(MAX_BODY_ENTRIES)).status).toBe(201);
    const [code, reason, message] = refusal(await sent(MAX_BODY_ENTRIES + 1));
    expect([code, reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect(message).toContain(`${MAX_BODY_ENTRIES} keys`);
  });

  it('in YAML may have MAX_YAML_BYTES', async () => {
    const yaml = { 'content-type': 'application/yaml' };
    const padded = (bytes: number) => 'metadata: {name: a}\n#'.padEnd(bytes, 'x');
    expect((await post(padded(MAX_YAML_BYTES), yaml)).status).toBe(201);
    const [code, reason, message] = refusal(await post(padded(MAX_YAML_BYTES + 1), yaml));
    expect([code, reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect(message).toContain('as JSON');
  });

  it('in YAML with twice as many keys takes about twice the time', async () => {
    const timed = async (keys: number) => {
      const lines = numbers(keys).map((i) => `  k${i}: ""\n`);
      const body = `metadata: {name: a}\ndata:\n${lines.join('')}`;
      const before = process.cpuUsage();
      const { status } = await post(body, { 'content-type': 'application/yaml' });
      const { user } = process.cpuUsage(before);
      expect(status).toBe(201);
      return user;
    };
    await timed(1000);
    const [few, many] = [await timed(1000), await timed(20_000)];
    // Twenty times as many: 400 times the time where each key is compared with each other one.
    expect(many / few).toBeLessThan(80);
  });

  it('in YAML has the entries that its aliases stand for', async () => {
    const list = Array.from({ length: 3000 }, () => '0').join(', ');
    const aliases = Array.from({ length: 90 }, () => '*a').join(', ');
    const body = `metadata: {name: a}\ndata: {a: &a [${list}], b: [${aliases}]}\n`;
    const headers = { 'content-type': 'application/yaml' };
    const [code] = refusal(await post(body, headers));
    expect(code).toBe(413);
  });

  it('in YAML may have some aliases, but no flood of them', async () => {
    const yaml = { 'content-type': 'application/yaml' };
    const few = 'metadata: {name: a}\ndata: {x: &x text, y: *x}\n';
    expect((await post(few, yaml)).status).toBe(201);
    const floors = Array.from({ length: 10 }, (_, i) =>
      i === 0
        ? 'l0: &l0 [x]'
        : `l${i}: &l${i} [${Array.from({ length: 10 }, () => `*l${i - 1}`).join(', ')}]`,
    );
    const bomb = `${floors.join('\n')}\nmetadata: {name: a}\n`;
    const before = process.memoryUsage().rss;
    const [code, reason, message] = refusal(await post(bomb, yaml));
    expect([code, reason]).toEqual([400, 'BadRequest']);
    expect(message).toMatch(/alias/i);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it.each([
    ['lists', `? ${'['.repeat(400)}${']'.repeat(400)}\n: 1\n`],
    ['maps', `{${'{'.repeat(400)}a${': 1}'.repeat(400)}: 1}\n`],
    ['aliases of lists', 'a: &a [1]\n*a : 1\n'],
  ])('in YAML has no %s for keys, however deep they are', async (_what, body) => {
    const [code, reason, message] = refusal(
      await post(body, { 'content-type': 'application/yaml' }),
    );
    expect([code, reason]).toEqual([400, 'BadRequest']);
    expect(message).toContain('invalid map key');
  });

  it('in YAML may be wrong in very many places of one line: the first is told', async () => {
    const body = `a: ${'&a '.repeat(200_000)}`;
    const yaml = { 'content-type': 'application/yaml' };
    const [code, , message] = refusal(await post(body, yaml));
    expect([code, message]).toEqual([
      400,
      expect.stringMatching(/at most one anchor at line 1, column 7/),
    ]);
  });

  it('in YAML is one document', async () => {
    const two = 'metadata: {name: a}\n---\nmetadata: {name: b}\n';
    const [code, reason] = refusal(await post(two, { 'content-type': 'application/yaml' }));
    expect([code, reason]).toEqual([400, 'BadRequest']);
  });
});

describe('An object', () => {
  it('may have annotations of ANNOTATIONS_LIMIT_BYTES together', async () => {
    const annotated = (bytes: number) =>
      post({ metadata: { name: 'a', annotations: { k: 'x'.repeat(bytes - 1) } } });
    expect((await annotated(ANNOTATIONS_LIMIT_BYTES)).status).toBe(201);
    const [code, reason] = refusal(await annotated(ANNOTATIONS_LIMIT_BYTES + 1));
    expect([code, reason]).toEqual([422, 'Invalid']);
  });

  it('may have data of DATA_LIMIT_BYTES', async () => {
    const holding = (bytes: number) =>
      post({ metadata: { name: 'a' }, data: { k: 'x'.repeat(bytes) } });
    expect((await holding(DATA_LIMIT_BYTES)).status).toBe(201);
    const [code, reason] = refusal(await holding(DATA_LIMIT_BYTES + 1));
    expect([code, reason]).toEqual([422, 'Invalid']);
  });

  it('may have a name of 253 characters', async () => {
    const named = (length: number) => post({ metadata: { name: 'a'.repeat(length) } });
    expect((await named(253)).status).toBe(201);
    expect(refusal(await named(254)).slice(0, 2)).toEqual([422, 'Invalid']);
  });

  it('may have labels of 63 characters', async () => {
    const labelled = (length: number) =>
      post({ metadata: { name: 'a', labels: { k: 'x'.repeat(length) } } });
    expect((await labelled(63)).status).toBe(201);
    expect(refusal(await labelled(64)).slice(0, 2)).toEqual([422, 'Invalid']);
  });
});

it('An object with its managedFields may have VALUE_MAX_BYTES: beyond, it is stored without them', async () => {
  const named = (i: number) => `n${i}`;
  // Each key costs 8 bytes as such, and some 12 for each who owns it.
  const data = Object.fromEntries(numbers(40_000).map((i) => [`k${i}`, '']));
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned' }, data };
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  const apply = async (i: number) => {
    const path = `${CONFIG_MAPS}/owned?fieldManager=${named(i)}`;
    const answer = await server.call('PATCH', path, { body, headers });
    expect(answer.status).toBeLessThan(300);
    return answer;
  };
  let owners: number | undefined = 0;
  let bytes = 0;
  for (let i = 1; owners === i - 1; i++) {
    const answer = await apply(i);
    owners = answer.json().metadata.managedFields?.length;
    if (owners !== undefined) bytes = answer.text.length;
  }
  expect(owners).toBeUndefined();
  expect(bytes).toBeGreaterThan(VALUE_MAX_BYTES * 0.7);
  expect(bytes).toBeLessThanOrEqual(VALUE_MAX_BYTES);
});

describe('A request', () => {
  it('may have MAX_OPERATIONS in a JSON patch', async () => {
    const operation = { op: 'test', path: '/data/a', value: 'b' };
    const patch = (operations: number) =>
      server.call('PATCH', `${CONFIG_MAPS}/here`, {
        body: Array.from({ length: operations }, () => operation),
        headers: { 'content-type': 'application/json-patch+json' },
      });
    expect((await patch(MAX_OPERATIONS)).status).toBe(200);
    const [code, reason, message] = refusal(await patch(MAX_OPERATIONS + 1));
    expect([code, reason]).toEqual([413, 'RequestEntityTooLarge']);
    expect(message).toContain(String(MAX_OPERATIONS));
  });

  it.each([
    ['labelSelector', 'requirements', (terms: number) => `${'a=b,'.repeat(terms - 1)}a=b`],
    ['labelSelector', 'values', (terms: number) => `a in (${numbers(terms).join()})`],
    ['fieldSelector', 'terms', (n: number) => `${'metadata.name=a,'.repeat(n - 1)}metadata.name=a`],
  ])('may have MAX_SELECTOR_TERMS in a %s, counting %s', async (option, _what, text) => {
    const selector = (terms: number) =>
      server.call('GET', `${CONFIG_MAPS}?${option}=${encodeURIComponent(text(terms))}`);
    expect((await selector(MAX_SELECTOR_TERMS)).status).toBe(200);
    const [code, reason, message] = refusal(await selector(MAX_SELECTOR_TERMS + 1));
    expect([code, reason]).toEqual([400, 'BadRequest']);
    expect(message).toContain(`up to ${MAX_SELECTOR_TERMS} requirements and values`);
  });

  it('may have a selector as long as a head may be', async () => {
    const [code] = refusal(
      await server.call('GET', `${CONFIG_MAPS}?labelSelector=${'a'.repeat(70_000)}`),
    );
    expect(code).toBe(431);
  });
});
