// Applies against a model: many managers apply and update the entries of a ConfigMap, in any order.
import { fc } from '../../test/support/properties.ts';
import { describe, expect, it } from 'vitest';
import { configMapDefinition } from '../../api/core/config-map.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject, ManagedFieldsEntry } from '../../api/meta/object.ts';
import { Scheme } from '../../api/scheme.ts';
import { StatusError } from '../../api/status.ts';
import { applyConfig } from './apply-config.ts';
import { MAX_UPDATERS, withFewUpdaters } from './cap-updaters.ts';
import type { Owner } from './owners.ts';
import { trackWrite, type Writer } from './track-write.ts';

type Data = Readonly<Record<string, string>>;
interface Step {
  readonly how: 'apply' | 'force' | 'update';
  readonly manager: string;
  readonly data: Data;
}

/** What a ConfigMap should come to: each entry's value, and who owns it. */
interface Model {
  readonly values: Map<string, string>;
  readonly owners: Map<string, Set<string>>;
}

const scheme = new Scheme();
const definition = configMapDefinition as unknown as ResourceDefinition;
const configMap = (data: Data): LooseObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', namespace: 'n' },
  data,
});
const writer = (manager: string): Writer => ({
  scheme,
  definition,
  manager,
  subresource: '',
  written: 'everything',
  now: '2026-01-01T00:00:00Z',
});

const steps = fc.array(
  fc.record({
    how: fc.constantFrom('apply', 'apply', 'force', 'update'),
    manager: fc.constantFrom('x', 'y', 'z'),
    data: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2')),
  }),
  { maxLength: 14 },
) as fc.Arbitrary<Step[]>;

const ownerOf = ({ how, manager }: Step) => `${manager} ${how === 'update' ? 'Update' : 'Apply'}`;

/** The model after a step; undefined where the step is refused. */
function stepped({ values, owners }: Model, step: Step): Model | undefined {
  const self = ownerOf(step);
  const next: Model = { values: new Map(values), owners: new Map(owners) };
  const own = (key: string, all: Iterable<string>) => next.owners.set(key, new Set(all));
  for (const [key, value] of Object.entries(step.data)) {
    const others = [...(owners.get(key) ?? [])].filter((owner) => owner !== self);
    if (values.get(key) === value) {
      if (step.how !== 'update') own(key, [...others, self]);
      continue;
    }
    if (step.how === 'apply' && others.length > 0) return undefined;
    next.values.set(key, value);
    own(key, [self]);
  }
  for (const key of values.keys()) {
    if (key in step.data || (step.how !== 'update' && !owners.get(key)?.has(self))) continue;
    const others = [...(owners.get(key) ?? [])].filter((owner) => owner !== self);
    const stays = step.how !== 'update' && others.length > 0;
    if (stays) own(key, others);
    else {
      next.values.delete(key);
      next.owners.delete(key);
    }
  }
  return next;
}

async function taken(live: LooseObject | undefined, step: Step): Promise<LooseObject> {
  const config = configMap(step.data);
  const own = (object: LooseObject, entries: readonly ManagedFieldsEntry[] | undefined) => ({
    ...object,
    metadata: { ...object.metadata, managedFields: [...(entries ?? [])] },
  });
  if (step.how === 'update') {
    const change = { before: live, after: config, submitted: undefined };
    return own(config, await trackWrite(writer(step.manager), change));
  }
  const force = step.how === 'force';
  const { object, owners } = await applyConfig({
    writer: writer(step.manager),
    live,
    config,
    force,
  });
  return own(object, owners);
}

function entryOwners({ metadata }: LooseObject): Record<string, string[]> {
  const owners: Record<string, string[]> = {};
  for (const { manager, operation, fieldsV1 } of metadata.managedFields ?? []) {
    const data = (fieldsV1 as { 'f:data'?: object })['f:data'] ?? {};
    for (const key of Object.keys(data))
      if (key.startsWith('f:')) (owners[key.slice(2)] ??= []).push(`${manager} ${operation}`);
  }
  return owners;
}

describe('Applies and updates', () => {
  it('come to what each manager wants, and to no more owners than want it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        // An owner of the map itself, so that there is always one: without any, none is kept.
        let live = await taken(undefined, { how: 'update', manager: 'base', data: { base: '1' } });
        let model: Model = { values: new Map(), owners: new Map() };
        for (const given of list) {
          const step =
            given.how === 'update' ? { ...given, data: { ...given.data, base: '1' } } : given;
          const next = stepped(model, given);
          if (next === undefined) {
            await expect(taken(live, step)).rejects.toThrow(StatusError);
            continue;
          }
          live = await taken(live, step);
          model = next;
          const { base: _, ...data } = live['data'] as Record<string, string>;
          expect(data).toEqual(Object.fromEntries(model.values));
          const { base, ...owners } = entryOwners(live);
          expect(base).toEqual(['base Update']);
          const sorted = Object.entries(owners).map(([key, all]) => [key, all.sort()]);
          const wanted = [...model.owners].map(([key, all]) => [key, [...all].sort()]);
          expect(Object.fromEntries(sorted)).toEqual(Object.fromEntries(wanted));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('say nothing new the second time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        let live: LooseObject | undefined;
        for (const step of list) {
          const forced: Step = step.how === 'apply' ? { ...step, how: 'force' } : step;
          live = await taken(live, forced);
          expect(await taken(live, forced)).toEqual(live);
        }
      }),
    );
  });
});

describe('Many updaters', () => {
  const owner = (i: number, more: Partial<Owner> = {}): Owner => ({
    manager: `m${i}`,
    operation: 'Update',
    apiVersion: 'v1',
    subresource: '',
    time: `2026-01-01T00:00:${String(i).padStart(2, '0')}Z`,
    fields: { [`f:${i}`]: {} },
    ...more,
  });
  const names = (owners: readonly Owner[]) => owners.map(({ manager }) => manager);

  it('are put together by version, the oldest first; appliers never', () => {
    const few = Array.from({ length: MAX_UPDATERS }, (_, i) => owner(i));
    expect(withFewUpdaters(few)).toBe(few);
    const old = owner(0, { apiVersion: 'v1beta1' });
    const applier = owner(99, { operation: 'Apply', time: undefined });
    const many = [
      old,
      applier,
      ...Array.from({ length: MAX_UPDATERS + 1 }, (_, i) => owner(i + 1)),
    ];
    const capped = withFewUpdaters(many);
    expect(names(capped)).toEqual([
      'm0',
      'm99',
      ...Array.from({ length: MAX_UPDATERS - 2 }, (_, i) => `m${i + 4}`),
      'ancient-changes',
    ]);
    expect(capped.at(-1)).toMatchObject({
      apiVersion: 'v1',
      time: owner(3).time,
      fields: { 'f:1': {}, 'f:2': {}, 'f:3': {} },
    });
    const again = withFewUpdaters([...capped, owner(50), owner(51)]);
    expect(names(again).filter((name) => name === 'ancient-changes')).toHaveLength(1);
  });
});
