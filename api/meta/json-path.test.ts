// JSONPath as printer columns use it.
import { describe, expect, it } from 'vitest';
import {
  JsonPathError,
  MAX_PATH_CHARS,
  MAX_UNION,
  MAX_VISITED,
  parseJsonPath,
} from './json-path.ts';

const pod = {
  metadata: { name: 'web', labels: { 'app.kubernetes.io/name': 'shop', 'a.b': 'c' } },
  spec: {
    replicas: 3,
    ports: [
      { port: 80, name: 'http' },
      { port: 443, name: 'https' },
    ],
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Stalled', status: 'False' },
    ],
  },
};

describe('JSONPath', () => {
  it.each<[string, unknown[]]>([
    ['.spec.replicas', [3]],
    ['{.spec.replicas}', [3]],
    ['{$.spec.replicas}', [3]],
    ['.spec.ports[0].port', [80]],
    ['.spec.ports[-1].name', ['https']],
    ['.spec.ports[*].port', [80, 443]],
    ['.spec.ports[0,1].name', ['http', 'https']],
    ['.spec.ports[0:1].name', ['http']],
    ['.spec.ports[1:].name', ['https']],
    ['.spec.ports[::2].name', ['http']],
    [".metadata.labels['app.kubernetes.io/name']", ['shop']],
    ['.metadata.labels.app\\.kubernetes\\.io/name', ['shop']],
    [".metadata.labels['a.b','app.kubernetes.io/name']", ['c', 'shop']],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type!='Ready')].status", ['False']],
    ['.spec.ports[?(@.port>=443)].name', ['https']],
    ['.spec.ports[?(@.port<443)].name', ['http']],
    ['.spec.ports[?(@.name)].port', [80, 443]],
    ['.spec.ports[?(@.weight)].port', []],
    ['..port', [80, 443]],
    ['.metadata.*', ['web', pod.metadata.labels]],
    ['.', [pod]],
    ['.status.nothing.here', []],
    ['.spec.replicas.deeper', []],
    ['.spec.ports.port', []],
    ['.metadata.constructor', []],
  ])('%s', (path, found) => {
    expect(parseJsonPath(path).find(pod)).toEqual(found);
  });

  it.each([
    ['.spec.ports[0', /unterminated/],
    ['.spec.ports[a]', /invalid array index/],
    ['.spec..', /name is missing/],
    ['.a[?(@.b==c)]', /unrecognized value/],
    ['.a]b', /unexpected/],
    ['.'.padEnd(MAX_PATH_CHARS + 1, 'a'), /longer than/],
  ])('refuses %.20s', (path, why) => {
    expect(() => parseJsonPath(path)).toThrow(why);
    expect(() => parseJsonPath(path)).toThrow(JsonPathError);
  });

  it('finds no more than so many, however often it asks for the same', () => {
    const again = `[${Array.from({ length: MAX_UNION }, () => '0').join()}]`;
    const nested = { l: [[[[[0]]]]] };
    const found = parseJsonPath(`.l${again.repeat(5)}`).find(nested);
    expect(found.length).toBeLessThanOrEqual(2 * MAX_VISITED);
    expect(() => parseJsonPath(`.l[${'0,'.repeat(MAX_UNION)}0]`)).toThrow(/more than/);
  });

  it('ends on a tree that is too large to search', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 1000 }, (_, i) => [`k${i}`, { a: { a: {} } }]),
    );
    expect(parseJsonPath('..a..a..a..a..a').find(wide).length).toBeLessThan(200_000);
  });
});
