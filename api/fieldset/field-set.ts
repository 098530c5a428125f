// Sets of field paths, in the very form that managedFields store them in (FieldsV1), and their algebra.
// Invariant: sets are never changed once made; keys stand in one order; a node without own meaning is not kept.

/**
 * A set as a tree. A key names a path element: `f:` a field, `k:` a list item by its keys, `v:` an item of a set, `i:` an
 * index. Below the root, a node that is empty or has `.` is itself in the set; the root never is.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** No path at all; as a node below a root: that path and nothing below it. */
export const EMPTY_SET: FieldSet = Object.freeze({});
/** The key of a node that says: this path too. */
export const SELF = '.';

/** Is there no path in the set? */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Is the path of this node, which is none of a root, in the set? */
export function isMember(node: FieldSet): boolean {
  for (const key in node) return key === SELF;
  return true;
}

/** Gathers what is below a path, in any order. Sets are made through it, so that their order is always the same. */
export class Gathered {
  readonly #elements: string[] = [];
  readonly #nodes: FieldSet[] = [];
  #sorted = true;

  /** Adds a node. An element may come once. */
  add(element: string, node: FieldSet | undefined): void {
    if (node === undefined) return;
    const last = this.#elements.at(-1);
    if (last !== undefined && last > element) this.#sorted = false;
    this.#elements.push(element);
    this.#nodes.push(node);
  }

  /** The node; `self` says that the path itself is in the set. Undefined when nothing would be in it. */
  node(self: boolean): FieldSet | undefined {
    const { length } = this.#elements;
    if (length === 0) return self ? EMPTY_SET : undefined;
    if (!this.#sorted) this.#sort();
    const node: Record<string, FieldSet> = {};
    if (self) node[SELF] = EMPTY_SET;
    for (let i = 0; i < length; i++) node[this.#elements[i] as string] = this.#nodes[i] as FieldSet;
    return node;
  }

  #sort(): void {
    const [elements, nodes] = [this.#elements, this.#nodes];
    if (elements.length > SMALL) {
      const byElement = new Map(elements.map((element, i) => [element, nodes[i] as FieldSet]));
      elements.sort();
      for (const [i, element] of elements.entries()) nodes[i] = byElement.get(element) as FieldSet;
      return;
    }
    for (let i = 1; i < elements.length; i++) {
      const [element, node] = [elements[i] as string, nodes[i] as FieldSet];
      let at = i;
      for (; at > 0 && (elements[at - 1] as string) > element; at--) {
        elements[at] = elements[at - 1] as string;
        nodes[at] = nodes[at - 1] as FieldSet;
      }
      elements[at] = element;
      nodes[at] = node;
    }
  }
}

/** Up to so many elements, putting each where it belongs is faster than a sort. */
const SMALL = 24;

/** The set of these paths. */
export function setOf(paths: readonly (readonly string[])[]): FieldSet {
  let set: FieldSet = EMPTY_SET;
  for (const path of paths) {
    const leafUp = path.reduceRight<FieldSet>(
      (below, element) => ({ [element]: below }),
      EMPTY_SET,
    );
    set = union(set, leafUp);
  }
  return set;
}

/** Paths in either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (holds(a, b)) return a;
  return merged(a, b, false) ?? EMPTY_SET;
}

/** Is every path of `b` in `a`? */
function holds(a: FieldSet, b: FieldSet): boolean {
  for (const key in b) {
    if (key === SELF) continue;
    const [mine, theirs] = [a[key], b[key] as FieldSet];
    if (mine === undefined || (isMember(theirs) && !isMember(mine)) || !holds(mine, theirs))
      return false;
  }
  return true;
}

function merged(a: FieldSet, b: FieldSet, self: boolean): FieldSet | undefined {
  if (a === b) return a;
  const gathered = new Gathered();
  for (const key in a) {
    if (key === SELF) continue;
    const [mine, theirs] = [a[key] as FieldSet, b[key]];
    gathered.add(key, theirs === undefined ? mine : both(mine, theirs));
  }
  for (const key in b)
    if (key !== SELF && a[key] === undefined) gathered.add(key, b[key] as FieldSet);
  return gathered.node(self);
}

const both = (a: FieldSet, b: FieldSet) => merged(a, b, isMember(a) || isMember(b));

/** Paths of `a` that are not in `b`. A path goes alone: what is below it stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return without(a, b, { was: false, self: false, below: false }) ?? EMPTY_SET;
}

/** As difference, and whatever is below a path of `b` goes with it. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  return without(a, b, { was: false, self: false, below: true }) ?? EMPTY_SET;
}

/** `was` and `self`: is the node's own path in `a`, and in the outcome? */
function without(
  a: FieldSet,
  b: FieldSet,
  { was, self, below }: { was: boolean; self: boolean; below: boolean },
): FieldSet | undefined {
  const gathered = new Gathered();
  let same = was === self;
  for (const key in a) {
    if (key === SELF) continue;
    const mine = a[key] as FieldSet;
    const rest = withoutNode(mine, b[key], below);
    if (rest !== mine) same = false;
    gathered.add(key, rest);
  }
  return same ? a : gathered.node(self);
}

function withoutNode(
  mine: FieldSet,
  theirs: FieldSet | undefined,
  below: boolean,
): FieldSet | undefined {
  if (theirs === undefined) return mine;
  const [was, gone] = [isMember(mine), isMember(theirs)];
  return gone && below ? undefined : without(mine, theirs, { was, self: was && !gone, below });
}

/** Paths in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return shared(a, b, false) ?? EMPTY_SET;
}

function shared(a: FieldSet, b: FieldSet, self: boolean): FieldSet | undefined {
  const gathered = new Gathered();
  for (const key in a) {
    const [mine, theirs] = [a[key] as FieldSet, b[key]];
    if (key === SELF || theirs === undefined) continue;
    gathered.add(key, shared(mine, theirs, isMember(mine) && isMember(theirs)));
  }
  return gathered.node(self);
}

/** Do both hold the same paths? Both are in order. */
export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => {
    const theirs = b[key];
    return theirs !== undefined && equalSets(a[key] as FieldSet, theirs);
  });
}

/** Every path: those of one level before those below it. */
export function* pathsOf(
  set: FieldSet,
  above: readonly string[] = [],
): Generator<readonly string[]> {
  const keys = Object.keys(set).filter((key) => key !== SELF);
  for (const key of keys) if (isMember(set[key] as FieldSet)) yield [...above, key];
  for (const key of keys) yield* pathsOf(set[key] as FieldSet, [...above, key]);
}
