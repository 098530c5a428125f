// Whole objects within custom resources, names in the status of definitions, and bounded work on huge objects.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiCaller, anApiCaller } from '../support/api-caller.ts';
import { startTestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const MERGE = 'application/merge-patch+json';

let api: ApiCaller;
beforeAll(async () => {
  api = await anApiCaller();
});
afterAll(() => api?.close());

const embedded = {
  type: 'object',
  'x-kubernetes-embedded-resource': true,
  'x-kubernetes-preserve-unknown-fields': true,
};

function definition(group: string, properties: object) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `boxes.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'boxes', kind: 'Box' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties } },
        },
      ],
    },
  };
}

const path = (group: string) => `/apis/${group}/v1/namespaces/default/boxes`;

async function define(group: string, properties: object): Promise<void> {
  const made = await api.call('POST', CRDS, { body: definition(group, properties) });
  expect(made.status, made.text).toBe(201);
  await until(async () => (await api.call('GET', path(group))).status === 200);
}

const put = (group: string, name: string, more: object) =>
  api.call('POST', path(group), {
    body: { apiVersion: `${group}/v1`, kind: 'Box', metadata: { name }, ...more },
  });

describe('Embedded objects', () => {
  beforeAll(() =>
    define('inner.example.com', { one: embedded, many: { type: 'array', items: embedded } }),
  );

  it('keep what they are, and lose metadata that no object has', async () => {
    const one = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x', odd: 1, labels: { a: 'b' }, creationTimestamp: null },
      spec: { any: [1] },
    };
    const made = await put('inner.example.com', 'kept', { one });
    expect((made.json as unknown as { one: object }).one).toEqual({
      ...one,
      metadata: { name: 'x', labels: { a: 'b' } },
    });
  });

  it.each<[string, object, RegExp]>([
    ['no kind', { apiVersion: 'v1' }, /one\.kind: Required value$/],
    ['no apiVersion', { kind: 'Pod' }, /one\.apiVersion: Required value$/],
    [
      'an empty kind',
      { apiVersion: 'v1', kind: '' },
      /one\.kind: Invalid value: "": must not be empty/,
    ],
    [
      'a kind that is no name',
      { apiVersion: 'v1', kind: 'a b' },
      /one\.kind: Invalid value: "a b": may have mixed case, but should otherwise match: /,
    ],
    [
      'a kind that is no text',
      { apiVersion: 'v1', kind: 1 },
      /one\.kind: Invalid value: 1: must be a string/,
    ],
    [
      'an odd apiVersion',
      { apiVersion: 'a/b/c', kind: 'Pod' },
      /one\.apiVersion: Invalid value: "a\/b\/c": unexpected GroupVersion string: a\/b\/c/,
    ],
    [
      'wrong labels',
      { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { 'a b': 'c' } } },
      /one\.metadata\.labels: Invalid value: "a b"/,
    ],
    [
      'a wrong name',
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a/b' } },
      /one\.metadata\.name: Invalid value: "a\/b"/,
    ],
  ])('are refused with %s', async (_what, one, message) => {
    const made = await put('inner.example.com', 'refused', { one });
    expect(made.json).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(made.json.message).toMatch(message);
  });

  it('are refused by their place in lists, and with metadata of the wrong type', async () => {
    const well = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };
    const listed = await put('inner.example.com', 'listed', { many: [well, { kind: 'Pod' }] });
    expect(listed.json.message).toMatch(/many\[1\]\.apiVersion: Required value/);
    const typed = await put('inner.example.com', 'typed', {
      one: { ...well, metadata: { labels: 1 } },
    });
    expect(typed.json).toMatchObject({ code: 400, reason: 'BadRequest' });
  });

  it('that were stored before they were any lose metadata that is none', async () => {
    const group = 'before.example.com';
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    await define(group, { one: open });
    await put(group, 'old', { one: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: 1 } } });
    const url = `${CRDS}/boxes.${group}`;
    const { spec } = definition(group, { one: embedded });
    expect((await api.call('PATCH', url, { body: { spec }, type: MERGE })).status).toBe(200);
    const { json } = await api.call('GET', `${path(group)}/old`);
    expect((json as unknown as { one: object }).one).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {},
    });
  });
});

/** A definition of buoys as client-go 0.36 sends it in protobuf. */
const BUOYS =
  'azhzAAozChdhcGlleHRlbnNpb25zLms4cy5pby92MRIYQ3VzdG9tUmVzb3VyY2VEZWZpbml0aW9uEooDCiYKFmJ1b3lz' +
  'LndpcmUuZXhhbXBsZS5jb20SABoAIgAqADIAOABCABLRAgoQd2lyZS5leGFtcGxlLmNvbRoRCgVidW95cxIAIgRCdW95' +
  'KgAiCk5hbWVzcGFjZWQ6mwIKAnYxEAEYASKKAgqHAgoAEgAiACoGb2JqZWN0MgA6AFAAYAB6AJABAOoB3wEKBHNwZWMS' +
  '1gEKABIAIgAqBm9iamVjdDIAOgBQAGAAegCQAQDqAT0KBWRlcHRoEjQKABIAIgAqBm51bWJlcjIAOgBCBQoDMi41SQAA' +
  'AAAA4FhAUABgAHoAkAEAqAIAuAIAwAIA6gFUCgR0YWdzEkwKABIAIgAqBWFycmF5MgA6AFAAYAB6AJABAMIBJgokCgAS' +
  'ACIAKgZzdHJpbmcyADoAUABgAHoAkAEAqAIAuAIAwAIAqAIAuAIAwAIAqAIAuAIAwAIA4gIYChBzZWxmLmRlcHRoID4g' +
  'MS4wEgAaACoAqAIAuAIAwAIAKgIKADgAUAAaDBIICgASACIAKgAgABoAIgA=';

describe('Definitions', () => {
  it('are taken in protobuf, as typed clients in Go may send them', async () => {
    const server = await startTestServer();
    try {
      const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
      const sent = await server.call('POST', CRDS, { body: Buffer.from(BUOYS, 'base64'), headers });
      expect(sent.status, sent.text).toBe(201);
      const [version] = sent.json().spec.versions;
      expect(version).toMatchObject({ served: true, subresources: { status: {} } });
      expect(version.schema.openAPIV3Schema.properties.spec).toEqual({
        type: 'object',
        properties: {
          depth: { type: 'number', maximum: 99.5, default: 2.5 },
          tags: { type: 'array', items: { type: 'string' } },
        },
        'x-kubernetes-validations': [{ rule: 'self.depth > 1.0' }],
      });
    } finally {
      await server.close();
    }
  });

  it('take no names into their status that are none', async () => {
    await define('named.example.com', {});
    const written = await api.call('PATCH', `${CRDS}/boxes.named.example.com/status`, {
      body: { status: { acceptedNames: { plural: 'Boxes!', kind: 'Box' } } },
      type: MERGE,
    });
    expect(written.json).toMatchObject({ code: 422 });
    expect(written.json.message).toMatch(/status\.acceptedNames\.plural: Invalid value: "Boxes!"/);
  });
});

describe('Huge objects', () => {
  it('are refused for their length at once, and for the work that they make within a budget', async () => {
    const items = { type: 'object', properties: { a: { type: 'string', maxLength: 2 } } };
    await define('huge.example.com', {
      short: { type: 'array', maxItems: 3, items },
      long: { type: 'array', items: { type: 'string', pattern: '^(a|b|ab)*$' } },
    });
    const short = await put('huge.example.com', 'short', {
      short: Array.from({ length: 100_000 }, () => ({ a: 'b' })),
    });
    expect(short.json.message).toMatch(/short: Too many: 100000: must have at most 3 items/);
    const long = await put('huge.example.com', 'long', {
      long: Array.from({ length: 20_000 }, () => 'ab'.repeat(60)),
    });
    expect(long.json.message).toMatch(
      /must be checkable against its schema in at most 1000000 checks/,
    );
  });
});
