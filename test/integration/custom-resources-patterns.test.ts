// Patterns in definitions through the server: bounded before they are compiled, so that nobody else waits for them.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_DEFINITION_PATTERNS_SIZE, MAX_PATTERN_SIZE } from '../../api/cel/limits.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { encodeObject } from '../../apiserver/storage/revision-gap.ts';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { cpuSince } from '../support/cpu.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
/** What this thread may be busy while another request waits; without the limits it is for many seconds, on any host. */
const BUSY_CEILING_MS = 4_000;

const text = (pattern: string) => ({ type: 'string', pattern });
const named = (parts: readonly object[]) =>
  Object.fromEntries(parts.map((part, i) => [`f${i}`, part]));
/** Each compiles for about ten milliseconds, and none is another's. */
const large = (count: number) => Array.from({ length: count }, (_, i) => `^(?:a?b?c?){500}${i}$`);

/** A text that matches each of them, by a rule of its own. */
const ruled = (patterns: readonly string[]) => ({
  type: 'string',
  maxLength: 10,
  'x-kubernetes-validations': patterns.map((one) => ({ rule: `self.matches("${one}")` })),
});

function definition(...schemas: object[]) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'tabs.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'tabs', kind: 'Tab' },
      versions: schemas.map((spec, i) => ({
        name: `v${i + 1}`,
        served: true,
        storage: i === 0,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec } } },
      })),
    },
  };
}

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });

let api: ApiCaller;
beforeEach(async () => {
  api = await anApiCaller();
});
afterEach(() => api?.close());

/** Posts a definition that is refused, and asks for something else meanwhile. */
async function refused(...schemas: object[]): Promise<string> {
  const posted = api.call('POST', CRDS, { body: definition(...schemas) });
  const busyMs = cpuSince();
  const other = await api.call('GET', '/api/v1/namespaces/default');
  const made = await posted;
  expect(busyMs()).toBeLessThan(BUSY_CEILING_MS);
  expect(other.status).toBe(200);
  expect(made.json).toMatchObject({ code: 422, reason: 'Invalid' });
  return made.json.message;
}

describe('Patterns of a definition', () => {
  it('are refused where one is too large, wherever it stands', async () => {
    const one = `(?:a?b?c?){900}`;
    const list = { type: 'array', items: { type: 'string', anyOf: [{ pattern: one }] } };
    const message = await refused(object({ list }));
    expect(message).toContain('properties[spec].properties[list].items.anyOf[0].pattern: Invalid');
    expect(message).toContain(`at most ${MAX_PATTERN_SIZE} are allowed`);
  });

  it('are refused where they are too large together, in all versions', async () => {
    const parts = large(1600).map(text);
    const message = await refused(object(named(parts.slice(0, 5))), object(named(parts.slice(5))));
    expect(message).toMatch(/spec\.versions\[1\]\.schema\.openAPIV3Schema.*\.pattern: Forbidden/);
    expect(message).toContain(`at most ${MAX_DEFINITION_PATTERNS_SIZE} parts in a definition`);
  });

  it('count once, however often they are used', async () => {
    const [one = ''] = large(1);
    const schema = object(named(Array.from({ length: 500 }, () => text(one))));
    const made = await api.call('POST', CRDS, { body: definition(schema) });
    expect(made.status, made.text).toBe(201);
  });
});

describe('Patterns of a definition’s rules', () => {
  it('are refused where they are too large together, in all versions', async () => {
    const all = large(1600);
    const message = await refused(
      object({ a: ruled(all.slice(0, 5)) }),
      object({ a: ruled(all.slice(5)) }),
    );
    expect(message).toMatch(/versions\[1\].*x-kubernetes-validations\[\d+\]\.rule: Invalid value/);
    expect(message).toContain(`at most ${MAX_DEFINITION_PATTERNS_SIZE} parts in a definition`);
  });

  it('of message expressions count as well', async () => {
    const validations = large(1600).map((one) => ({
      rule: 'true',
      messageExpression: `"x".matches("${one}") ? "a" : "b"`,
    }));
    const message = await refused(object({}, { 'x-kubernetes-validations': validations }));
    expect(message).toContain(`at most ${MAX_DEFINITION_PATTERNS_SIZE} parts in a definition`);
  });
});

describe('A definition that was stored before there were limits', () => {
  const patterns = ['^(?:a?b?c?){900}$', ...large(20)];
  const fields = { ...named(patterns.map(text)), ruled: ruled(large(20)) };
  const tabs = '/apis/example.com/v1/namespaces/default/tabs';
  const url = `${CRDS}/tabs.example.com`;

  /** Nobody can store it any more: it is put where another server would have left it. */
  async function stored(server: TestServer): Promise<void> {
    const small = definition(object(named(patterns.map((_, i) => text(`^a${i}$`)))));
    expect((await server.call('POST', CRDS, { body: small })).status).toBe(201);
    await until(async () => (await server.call('GET', tabs)).status === 200);
    const key = '/registry/apiextensions.k8s.io/customresourcedefinitions/tabs.example.com';
    const { store } = server.server;
    await until(async () => {
      const present = store.latest(key);
      if (!present) throw new Error(`nothing is stored at ${key}`);
      const one = JSON.parse(Buffer.from(present.bytes).toString()) as LooseObject;
      const { versions } = definition(object(fields)).spec;
      const large = { ...one, spec: { ...(one['spec'] as object), versions } };
      const { kind } = await store.commit(key, present.revision, encodeObject(large));
      return kind === 'committed';
    });
  }

  it('is served, and changed where it is not about its patterns', async () => {
    const server = await startTestServer();
    try {
      await stored(server);
      const create = (f0: string) =>
        server.call('POST', tabs, {
          body: {
            apiVersion: 'example.com/v1',
            kind: 'Tab',
            metadata: { generateName: 'a' },
            spec: { f0 },
          },
        });
      expect((await create('abc')).status).toBe(201);
      expect((await create('x')).json().message).toContain('{900}');

      const change = (properties: object) =>
        server.call('PATCH', url, {
          body: { spec: { versions: definition(object(properties)).spec.versions } },
          headers: { 'content-type': 'application/merge-patch+json' },
        });
      const added = await change({ ...fields, more: { type: 'string' } });
      expect(added.status, added.text).toBe(200);
      const larger = await change({ ...fields, more: text('^abc$') });
      expect(larger.status).toBe(422);
      expect(larger.json().message).toContain('properties[more].pattern: Forbidden');
    } finally {
      await server.close();
    }
  });
});
