// Who owns whom, by uid: kept from every object's owner references. Pure.
// Invariant: a change costs as much as the object has owners, plus its dependents only when it goes or waits for them.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject, OwnerReference } from '../../api/meta/object.ts';

/** Held by an object that goes only after those of its dependents that block it. */
export const FOREGROUND = 'foregroundDeletion';
/** Held by an object whose dependents are to stay. */
export const ORPHAN = 'orphan';

/** An object in the graph. */
export interface GraphNode {
  readonly uid: string;
  /** Undefined while only a dependent says that it exists, and after it is gone. */
  readonly seen: { readonly ref: KindRef; readonly object: KubeObject } | undefined;
  /** The uids of those that name it as an owner. */
  readonly dependents: ReadonlySet<string>;
}

interface MutableNode {
  readonly uid: string;
  seen: GraphNode['seen'];
  readonly dependents: Set<string>;
}

/** Is the object being deleted, and does it wait for dependents first? */
export function waitsForDependents({ metadata }: KubeObject): boolean {
  return holds(metadata, FOREGROUND);
}

/** Is the object being deleted, and are its dependents to be let go first? */
export function letsDependentsGo({ metadata }: KubeObject): boolean {
  return holds(metadata, ORPHAN);
}

function holds(metadata: KubeObject['metadata'], finalizer: string): boolean {
  return (
    metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer)
  );
}

/** The graph of owners. */
export class OwnerGraph {
  readonly #nodes = new Map<string, MutableNode>();

  get size(): number {
    return this.#nodes.size;
  }

  node(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** Takes an object's newest state; answers the uids that are to be looked at because of it. */
  observe(ref: KindRef, object: KubeObject): string[] {
    const { uid } = object.metadata;
    if (!uid) return [];
    const node = this.#nodeOf(uid);
    const before = node.seen?.object;
    node.seen = { ref, object };
    const released = this.#relink(uid, before, object);
    const found = new Set(released.filter((owner) => this.#waits(owner)));
    if (this.#needsLook(object, before)) found.add(uid);
    const beganToWait = waitsForDependents(object) && !(before && waitsForDependents(before));
    if (beganToWait) for (const dependent of node.dependents) found.add(dependent);
    return [...found];
  }

  /** An object is gone; answers the uids that are to be looked at: what it owned, and owners that waited for it. */
  remove(object: KubeObject): string[] {
    const uid = object.metadata.uid ?? '';
    const node = this.#nodes.get(uid);
    if (!node) return [];
    const owners = ownersOf(node.seen?.object ?? object);
    node.seen = undefined;
    for (const owner of owners) this.#unlink(uid, owner.uid);
    this.#dropIfIdle(node);
    const waiting = owners.map((owner) => owner.uid).filter((owner) => this.#waits(owner));
    return [...node.dependents, ...waiting];
  }

  /** Answers owners that the object no longer holds back. */
  #relink(uid: string, before: KubeObject | undefined, after: KubeObject): string[] {
    const [old, next] = [before ? ownersOf(before) : [], ownersOf(after)];
    if (old === next) return [];
    const named = new Set(next.map((owner) => owner.uid));
    for (const owner of named) this.#nodeOf(owner).dependents.add(uid);
    for (const owner of old) if (!named.has(owner.uid)) this.#unlink(uid, owner.uid);
    const blocked = new Set(next.filter(blocks).map((owner) => owner.uid));
    return old.filter((owner) => blocks(owner) && !blocked.has(owner.uid)).map(({ uid }) => uid);
  }

  #needsLook(object: KubeObject, before: KubeObject | undefined): boolean {
    if (waitsForDependents(object) || letsDependentsGo(object)) return true;
    if (object.metadata.deletionTimestamp !== undefined) return false;
    const owners = ownersOf(object);
    const isNew = !before || owners.length !== ownersOf(before).length;
    return owners.some((owner) => {
      const seen = this.#nodes.get(owner.uid)?.seen;
      return !seen || waitsForDependents(seen.object) || (isNew && !refersTo(owner, object, seen));
    });
  }

  #waits(uid: string): boolean {
    const seen = this.#nodes.get(uid)?.seen;
    return seen !== undefined && waitsForDependents(seen.object);
  }

  #nodeOf(uid: string): MutableNode {
    let node = this.#nodes.get(uid);
    if (!node) this.#nodes.set(uid, (node = { uid, seen: undefined, dependents: new Set() }));
    return node;
  }

  #unlink(uid: string, owner: string): void {
    const node = this.#nodes.get(owner);
    if (!node) return;
    node.dependents.delete(uid);
    this.#dropIfIdle(node);
  }

  /** Nothing is kept of an object that is neither there nor named. */
  #dropIfIdle(node: MutableNode): void {
    if (!node.seen && node.dependents.size === 0) this.#nodes.delete(node.uid);
  }
}

const NONE: readonly OwnerReference[] = [];

/** The owners that an object names. */
export function ownersOf({ metadata }: KubeObject): readonly OwnerReference[] {
  return metadata.ownerReferences ?? NONE;
}

/** Does the owner's deletion in the foreground wait for whoever has this reference? */
export const blocks = (owner: OwnerReference): boolean => owner.blockOwnerDeletion === true;

/** Does the reference of `dependent` name that very object: by kind, name and namespace, not only by uid? */
export function refersTo(
  owner: OwnerReference,
  dependent: KubeObject,
  { ref, object }: NonNullable<GraphNode['seen']>,
): boolean {
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : owner.apiVersion.slice(0, slash);
  return (
    owner.kind === ref.kind &&
    group === ref.group &&
    owner.name === object.metadata.name &&
    owner.uid === object.metadata.uid &&
    (!ref.namespaced || object.metadata.namespace === dependent.metadata.namespace)
  );
}
