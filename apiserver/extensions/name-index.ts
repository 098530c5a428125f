// Who has which name in which group: what says at once whether a definition's names are free, however many there are.
// Invariant: what an owner has is what it was last set to; owners are told apart by name, built-in kinds have the empty one.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { CustomResourceDefinitionNames } from '../../api/generated/types.ts';
import type { TakenNames } from './names.ts';

type Names = Partial<CustomResourceDefinitionNames>;

/** Names by group. */
export class NameIndex {
  readonly #owners = new Map<string, Set<string>>();
  readonly #keys = new Map<string, readonly string[]>();

  /** Built-in kinds have their names for good. */
  constructor(builtIn: readonly ResourceDefinition[]) {
    for (const { ref, singular, shortNames, listKind } of builtIn)
      for (const key of keysOf(ref.group, {
        ...ref,
        singular,
        listKind,
        shortNames: [...shortNames],
      }))
        this.#add(key, '');
  }

  /** The owner has these names now, and no others. */
  set(owner: string, group: string, names: Names): void {
    this.delete(owner);
    const keys = keysOf(group, names);
    this.#keys.set(owner, keys);
    for (const key of keys) this.#add(key, owner);
  }

  /** Has the owner any names, or been given none? */
  knows(owner: string): boolean {
    return this.#keys.has(owner);
  }

  /** The owner has none any more. */
  delete(owner: string): void {
    for (const key of this.#keys.get(owner) ?? []) {
      const owners = this.#owners.get(key);
      owners?.delete(owner);
      if (owners?.size === 0) this.#owners.delete(key);
    }
    this.#keys.delete(owner);
  }

  /** What others of the group have. */
  takenBeside(owner: string, group: string): TakenNames {
    const others = (space: Space) => ({
      has: (name: string) => {
        const owners = this.#owners.get(keyOf(group, space, name));
        return owners !== undefined && (owners.size > 1 || !owners.has(owner));
      },
    });
    return { resources: others('resource'), kinds: others('kind') };
  }

  #add(key: string, owner: string): void {
    const owners = this.#owners.get(key);
    if (owners) owners.add(owner);
    else this.#owners.set(key, new Set([owner]));
  }
}

type Space = 'kind' | 'resource';

const keyOf = (group: string, space: Space, name: string): string => `${group}/${space}/${name}`;

function keysOf(group: string, { plural, singular, shortNames, kind, listKind }: Names): string[] {
  const resources = [plural, singular, ...(shortNames ?? [])].filter((name) => name);
  const kinds = [kind, listKind].filter((name) => name);
  return [
    ...resources.map((name) => keyOf(group, 'resource', name ?? '')),
    ...kinds.map((name) => keyOf(group, 'kind', name ?? '')),
  ];
}
