// What one handler is told while it is slow, throws, or makes changes itself.
import { describe, expect, it } from 'vitest';
import { fc } from '../../test/support/properties.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { until } from '../../test/support/until.ts';
import { HandlerFeed } from './handler-feed.ts';
import type { InformerHandler } from './informer.ts';
import type { StoreChange } from './store.ts';

const at = (name: string, revision: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, resourceVersion: String(revision) },
});
const id = ({ metadata }: KubeObject) => `${metadata.name}@${metadata.resourceVersion}`;
const add = (object: KubeObject) => ({ kind: 'add', object }) as const;
const remove = (object: KubeObject) => ({ kind: 'delete', object }) as const;
const update = (old: KubeObject, object: KubeObject) => ({ kind: 'update', old, object }) as const;

/** A handler that writes down what it is told; `answer` is what it answers. */
function scribe(told: string[], answer: () => unknown = () => undefined) {
  const note = (text: string) => {
    told.push(text);
    return answer();
  };
  return {
    onAdd: (object) => note(`+${id(object)}`),
    onUpdate: (object, old) => note(`${id(old)} ~${id(object)}`),
    onDelete: (object) => note(`-${id(object)}`),
  } satisfies InformerHandler<KubeObject>;
}

function tell(feed: HandlerFeed<KubeObject>, ...changes: StoreChange<KubeObject>[]): void {
  for (const change of changes) {
    feed.take(change);
    feed.flush();
  }
}

const noFailure = (error: unknown) => {
  throw error;
};

describe('a handler', () => {
  it('that is quick is told of every change, before anything else happens', () => {
    const told: string[] = [];
    const feed = new HandlerFeed(scribe(told), noFailure);
    const [a, b] = [at('a', 1), at('a', 2)];
    tell(feed, add(a), update(a, b), remove(at('a', 3)));
    expect(told).toEqual(['+a@1', 'a@1 ~a@2', '-a@3']);
    expect(feed.backlog).toBe(0);
  });

  it('that is slow is told of one change for each object once it has time, from what it knows to what is', async () => {
    const told: string[] = [];
    const gate = Promise.withResolvers<void>();
    const feed = new HandlerFeed(
      scribe(told, () => gate.promise),
      noFailure,
    );
    const [b1, b2, b3] = [at('b', 2), at('b', 3), at('b', 4)];
    tell(feed, add(b1));
    for (const [i, old] of [b1, b2].entries()) tell(feed, update(old, [b2, b3][i] as KubeObject));
    tell(feed, add(at('c', 5)), remove(at('c', 6)), add(at('d', 7)));
    expect(told).toEqual(['+b@2']);
    expect(feed.backlog).toBe(2);
    gate.resolve();
    await until(() => told.length === 3);
    expect(told.slice(1)).toEqual(['b@2 ~b@4', '+d@7']);
  });

  it('that is slow is told that an object was deleted, though there is another of its name by then', async () => {
    const told: string[] = [];
    const gate = Promise.withResolvers<void>();
    const feed = new HandlerFeed(
      scribe(told, () => gate.promise),
      noFailure,
    );
    tell(feed, add(at('a', 1)));
    tell(feed, remove(at('a', 2)), add(at('a', 3)), update(at('a', 3), at('a', 4)));
    gate.resolve();
    await until(() => told.length === 3);
    expect(told.slice(1)).toEqual(['-a@2', '+a@4']);
  });

  it('that is slow costs no more room than there are objects', () => {
    const never = new Promise<void>(() => undefined);
    const feed = new HandlerFeed(
      scribe([], () => never),
      noFailure,
    );
    const names = ['a', 'b', 'c'];
    tell(feed, ...names.map((name) => add(at(name, 1))));
    for (let i = 1; i < 1000; i++)
      tell(feed, ...names.map((name) => update(at(name, i), at(name, i + 1))));
    expect(feed.backlog).toBe(3);
    feed.end();
    expect(feed.backlog).toBe(0);
  });

  it('that fails is told on, and its failures are heard, thrown or as promises', async () => {
    const told: string[] = [];
    const failures: unknown[] = [];
    let answer: () => unknown = () => {
      throw new Error('thrown');
    };
    const handler = scribe(told, () => answer());
    const feed = new HandlerFeed(handler, (error) => failures.push((error as Error).message));
    tell(feed, add(at('a', 1)));
    answer = () => Promise.reject(new Error('rejected'));
    tell(feed, add(at('b', 2)), add(at('c', 3)));
    await until(() => failures.length === 3);
    expect(failures).toEqual(['thrown', 'rejected', 'rejected']);
    expect(told).toEqual(['+a@1', '+b@2', '+c@3']);
  });

  it('that makes a change while it is told of one is told of it afterwards', () => {
    const told: string[] = [];
    const [a1, a2] = [at('a', 1), at('a', 2)];
    const feed: HandlerFeed<KubeObject> = new HandlerFeed(
      {
        onAdd: (object) => {
          tell(feed, update(a1, a2));
          told.push(`+${id(object)}`);
        },
        onUpdate: (object) => told.push(`~${id(object)}`),
      },
      noFailure,
    );
    tell(feed, add(a1));
    expect(told).toEqual(['+a@1', '~a@2']);
  });

  it('ends up knowing what there is, whatever happened while it was busy', async () => {
    const news = fc.array(fc.record({ name: fc.constantFrom('a', 'b'), wait: fc.boolean() }));
    await fc.assert(
      fc.asyncProperty(news, async (all) => {
        const there = new Map<string, KubeObject>();
        const known = new Map<string, KubeObject>();
        const feed = new HandlerFeed<KubeObject>(
          {
            onAdd: async (object) => {
              expect(known.has(object.metadata.name ?? '')).toBe(false);
              known.set(object.metadata.name ?? '', object);
              await Promise.resolve();
            },
            onUpdate: async (object, old) => {
              expect(known.get(object.metadata.name ?? '')).toBe(old);
              known.set(object.metadata.name ?? '', object);
              await Promise.resolve();
            },
            onDelete: async ({ metadata }) => {
              expect(known.delete(metadata.name ?? '')).toBe(true);
              await Promise.resolve();
            },
          },
          noFailure,
        );
        for (const [revision, { name, wait }] of all.entries()) {
          const old = there.get(name);
          const object = at(name, revision);
          if (!old) tell(feed, add(object));
          else if (revision % 3 === 0) tell(feed, remove(object));
          else tell(feed, update(old, object));
          if (old && revision % 3 === 0) there.delete(name);
          else there.set(name, object);
          if (wait) await until(() => feed.backlog === 0);
        }
        await until(() => feed.backlog === 0);
        await new Promise((resolve) => setImmediate(resolve));
        expect(known).toEqual(there);
      }),
    );
  });
});
