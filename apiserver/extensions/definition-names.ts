// The names of CustomResourceDefinitions: a new one claims its names before it is written, so that it is stored as established at
// once, and is not written, encoded and read a second time for that. Half a megabyte makes this the larger part of its cost.
// Invariant: names that are claimed are taken for everybody else, until the write is refused or the definition goes.
import { isConditionTrue } from '../../api/meta/conditions.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import { NOTHING_TAKEN, type Strategy } from '../registry/strategies.ts';
import { NameIndex } from './name-index.ts';
import { acceptNames, statusWith } from './names.ts';

/** Decides about names, and knows who has which. */
export class DefinitionNames implements Strategy {
  readonly #index: NameIndex;
  readonly #clock: Clock;
  /** Whose names are claimed, and by which write: nothing of that name is stored yet. */
  readonly #claims = new Map<string, CustomResourceDefinition>();
  #freed: () => void = () => undefined;

  constructor(builtIn: readonly ResourceDefinition[], clock: Clock) {
    this.#index = new NameIndex(builtIn);
    this.#clock = clock;
  }

  /** Calls back whenever names that were claimed by a write that failed are free again. */
  whenFreed(handler: () => void): void {
    this.#freed = handler;
  }

  /** The status of a definition as names are now; one of before stays where a new one is taken. */
  decided(crd: CustomResourceDefinition): NonNullable<CustomResourceDefinition['status']> {
    const taken = this.#index.takenBeside(crd.metadata.name ?? '', crd.spec.group);
    return statusWith(crd, acceptNames(crd, taken), this.#clock.now());
  }

  /** The stored definition has the names that were accepted, and no others. */
  hold({ metadata: { name = '' }, spec, status }: CustomResourceDefinition): void {
    this.#claims.delete(name);
    this.#index.set(name, spec.group, status?.acceptedNames ?? {});
  }

  /** The definition is gone. */
  giveUp(name: string): void {
    this.#index.delete(name);
  }

  /** A new definition whose names are free is established with its creation. All others are decided about once they are stored. */
  allocate(object: LooseObject, old: LooseObject | undefined): { readonly undo: () => void } {
    const crd = object as unknown as CustomResourceDefinition;
    const name = crd.metadata.name ?? '';
    if (old !== undefined || !isNamed(crd) || this.#index.knows(name)) return NOTHING_TAKEN;
    const status = this.decided(crd);
    if (!isConditionTrue(status.conditions, 'NamesAccepted')) return NOTHING_TAKEN;
    crd.status = status;
    this.hold(crd);
    this.#claims.set(name, crd);
    return { undo: () => this.#unclaim(name, crd) };
  }

  /** Another write of the same name may have been first: what it has stays. */
  #unclaim(name: string, crd: CustomResourceDefinition): void {
    if (this.#claims.get(name) !== crd) return;
    this.#claims.delete(name);
    this.giveUp(name);
    this.#freed();
  }
}

/** Rules of names are asked later: what lacks any has none to be claimed. */
function isNamed({ spec }: Partial<CustomResourceDefinition>): boolean {
  return Boolean(spec?.group && spec.names?.plural && spec.names.kind);
}
