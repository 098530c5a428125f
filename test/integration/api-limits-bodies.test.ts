// What a caller may send at most: at each limit the server takes it, beyond it answers with the Status that says why.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANNOTATIONS_LIMIT_BYTES } from '../../api/meta/validate-meta.ts';
import { DATA_LIMIT_BYTES } from '../../api/core/data-validation.ts';
import { MAX_DEPTH } from '../../api/schema/decode.ts';
import { MAX_OPERATIONS } from '../../apiserver/patch/json-patch.ts';
import { BODY_LIMIT_BYTES } from '../../apiserver/options.ts';
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
    for (const levels of [MAX_DEPTH + 1, 100_000, 1_000_000]) {
      const [code, reason] = refusal(await post(deep(levels)));
      expect([code, reason]).toEqual([400, 'BadRequest']);
    }
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

  it('may have a long selector, within what a head may have', async () => {
    const selector = (count: number) =>
      server.call('GET', `${CONFIG_MAPS}?labelSelector=${'a%3Db,'.repeat(count)}a%3Db`);
    expect((await selector(2000)).status).toBe(200);
    const [code] = refusal(await selector(20_000));
    expect(code).toBe(431);
  });
});
