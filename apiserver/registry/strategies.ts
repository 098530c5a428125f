// What a kind needs besides its definition: allocation of addresses and ports. Most kinds need nothing.
// Invariant: allocate and release come in pairs; what a refused write had taken is given back.
import type { LooseObject } from '../../api/meta/object.ts';

/** Allocation around a write. */
export interface Strategy {
  /** Fills what is allocated; `old` on updates. Answers how to give back what was taken: after a refusal, or after settle. */
  allocate(object: LooseObject, old: LooseObject | undefined): { readonly undo: () => void };
  /** After a stored change: holds what the new object has, and no longer what the old one had. */
  settle?(object: LooseObject, old: LooseObject): void;
  /** Gives back what a deleted object had. */
  release?(object: LooseObject): void;
}

/** Strategies by `group/plural`. */
export type Strategies = ReadonlyMap<string, Strategy>;

/** Nothing taken, nothing to give back. */
export const NOTHING_TAKEN = { undo: () => undefined } as const;
