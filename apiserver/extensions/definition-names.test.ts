// Names that definitions claim as they are created.
import { describe, expect, it, vi } from 'vitest';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { DefinitionNames } from './definition-names.ts';

const names = () => new DefinitionNames([], new VirtualClock());

function definition(plural: string, kind: string, shortNames: string[] = []) {
  return {
    metadata: { name: `${plural}.example.com` },
    spec: { group: 'example.com', names: { plural, kind, shortNames } },
    status: { acceptedNames: { plural: '', kind: '' }, conditions: [], storedVersions: ['v1'] },
  } as unknown as CustomResourceDefinition & LooseObject;
}

const isEstablished = ({ status }: CustomResourceDefinition) =>
  isConditionTrue(status?.conditions, 'Established');

describe('A new definition', () => {
  it('is established as it is created, where its names are free', () => {
    const crd = definition('lanes', 'Lane');
    names().allocate(crd, undefined);
    expect(isEstablished(crd)).toBe(true);
    expect(crd.status?.acceptedNames).toMatchObject({ plural: 'lanes', kind: 'Lane' });
    expect(crd.status?.storedVersions).toEqual(['v1']);
  });

  it('is not where another one that is being created has a name of it', () => {
    const taken = names();
    taken.allocate(definition('lanes', 'Lane', ['l']), undefined);
    const second = definition('lines', 'Line', ['l']);
    taken.allocate(second, undefined);
    expect(isEstablished(second)).toBe(false);
    expect(taken.decided(second).conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False', reason: 'ShortNamesConflict' },
      { type: 'Established', status: 'False' },
    ]);
  });

  it('gives its names back when its write is refused, and those who wait are told', () => {
    const taken = names();
    const freed = vi.fn();
    taken.whenFreed(freed);
    const claimed = taken.allocate(definition('lanes', 'Lane', ['l']), undefined);
    claimed.undo();
    expect(freed).toHaveBeenCalledOnce();
    const second = definition('lines', 'Line', ['l']);
    taken.allocate(second, undefined);
    expect(isEstablished(second)).toBe(true);
  });

  it('gives nothing back once another write of the same name was first', () => {
    const taken = names();
    const claimed = taken.allocate(definition('lanes', 'Lane', ['l']), undefined);
    const first = definition('lanes', 'Lane', ['s']);
    taken.allocate(first, undefined);
    expect(isEstablished(first)).toBe(false);
    taken.hold({ ...first, status: taken.decided(first) });
    claimed.undo();
    const other = definition('lines', 'Line', ['s']);
    taken.allocate(other, undefined);
    expect(isEstablished(other)).toBe(false);
  });

  it('without names or a group is left to the rules', () => {
    const taken = names();
    const bare = { metadata: { name: 'x' } } as unknown as LooseObject;
    taken.allocate(bare, undefined).undo();
    taken.allocate({ metadata: { name: 'x' }, spec: {} } as unknown as LooseObject, undefined);
    expect(bare['status']).toBeUndefined();
  });
});
