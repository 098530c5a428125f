// Documents of custom resources: named in the index without being made, made when they are asked for, and told apart by what they
// are made from.
import { describe, expect, it } from 'vitest';
import { exampleOfCustoms } from '../../api/apiextensions/example.ts';
import type { CustomType, ResourceDefinition } from '../../api/definition.ts';
import { createDiscovery } from './discovery.ts';

/** A kind whose schemas count how often they are asked for. */
function counted(identity: string): { kind: ResourceDefinition; asked: () => number } {
  const [example] = exampleOfCustoms();
  if (!example?.custom) throw new Error('there is no example');
  const { schemas } = example.custom;
  let count = 0;
  const custom = {
    identity,
    get schemas() {
      count += 1;
      return schemas;
    },
  } as CustomType;
  return { kind: { ...example, custom }, asked: () => count };
}

function ask(kind: ResourceDefinition, path: string, headers: Record<string, string> = {}) {
  const { pathname, searchParams } = new URL(path, 'http://api');
  const discovery = createDiscovery([kind]);
  const reply = discovery.handle({ path: pathname, query: searchParams, headers });
  if (reply instanceof Promise) throw new Error(`${path} takes its time`);
  return reply;
}

function urlIn(kind: ResourceDefinition): string {
  const reply = ask(kind, '/openapi/v3');
  const index = reply?.kind === 'body' ? reply.object?.() : undefined;
  const paths = index?.['paths'] as Record<string, { serverRelativeURL: string }> | undefined;
  return paths?.['apis/example.com/v1']?.serverRelativeURL ?? '';
}

describe('The document of custom resources', () => {
  it('is named in the index, and known to be unchanged, without being made', () => {
    const { kind, asked } = counted('one');
    const [path = '', hash = ''] = urlIn(kind).split('?hash=');
    expect(hash).toMatch(/^[0-9A-F]{64}$/);
    expect(ask(kind, path, { 'if-none-match': `"${hash}"` })).toMatchObject({ status: 304 });
    expect(asked()).toBe(0);
  });

  it('is made when it is asked for, under the digest of the index', () => {
    const { kind, asked } = counted('one');
    const url = urlIn(kind);
    expect(ask(kind, url)).toMatchObject({
      status: 200,
      headers: { 'cache-control': expect.stringContaining('immutable') },
    });
    expect(asked()).toBeGreaterThan(0);
  });

  it('has another digest when the definition is another one, and the same otherwise', () => {
    expect(urlIn(counted('one').kind)).toBe(urlIn(counted('one').kind));
    expect(urlIn(counted('one').kind)).not.toBe(urlIn(counted('two').kind));
  });
});
