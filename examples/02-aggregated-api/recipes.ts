// The kind that this API server has: recipes, in memory, with what every API promises: uids, resourceVersions, conflicts, watches.
// Invariants: one counter for all changes; a watch that begins at a revision is told each later change once, in order; history is
// kept for MAX_HISTORY changes, and whoever asks for older ones is told to list again.
import { randomUUID } from 'node:crypto';

/** Group and version of the kind. */
export const GROUP = 'kitchen.example.com';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** A recipe. */
export interface Recipe {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly spec?: { readonly dish?: string; readonly minutes?: number };
}

/** A change, as a watch tells it. */
export interface Change {
  readonly type: 'ADDED' | 'DELETED' | 'MODIFIED';
  readonly object: Recipe;
}

/** Why a request cannot be done: an HTTP code, a reason of the API's, and words. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

const MAX_HISTORY = 1_000;
const MAX_RECIPES = 10_000;
/** Who made a recipe: the user that the API server in front named. */
export const CREATED_BY = `${GROUP}/created-by`;

/** All recipes. */
export class Recipes {
  readonly #items = new Map<string, Recipe>();
  readonly #history: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  #revision = 1;

  get revision(): string {
    return String(this.#revision);
  }

  /** Those of a namespace; '' means all. */
  list(namespace: string): Recipe[] {
    return [...this.#items.values()].filter((item) => isIn(item, namespace));
  }

  get(namespace: string, name: string): Recipe {
    const found = this.#items.get(`${namespace}/${name}`);
    if (!found) throw new Refusal(404, 'NotFound', `recipes.${GROUP} "${name}" not found`);
    return found;
  }

  create(namespace: string, sent: Partial<Recipe>, user: string): Recipe {
    const name = sent.metadata?.name ?? '';
    if (name === '')
      throw new Refusal(422, 'Invalid', 'metadata.name: Required value: name is required');
    if (this.#items.has(`${namespace}/${name}`))
      throw new Refusal(409, 'AlreadyExists', `recipes.${GROUP} "${name}" already exists`);
    if (this.#items.size >= MAX_RECIPES)
      throw new Refusal(507, 'InternalError', `there are ${MAX_RECIPES} recipes already`);
    const metadata = {
      ...sent.metadata,
      name,
      namespace,
      uid: randomUUID(),
      creationTimestamp: now(),
      annotations: { ...sent.metadata?.annotations, [CREATED_BY]: user },
    };
    return this.#store('ADDED', { ...sent, metadata } as Recipe);
  }

  /** Replaces what a user may change. A resourceVersion that is sent must be the present one. */
  update(namespace: string, name: string, sent: Partial<Recipe>): Recipe {
    const old = this.get(namespace, name);
    const { uid, creationTimestamp, deletionTimestamp, resourceVersion } = old.metadata;
    const asked = sent.metadata?.resourceVersion ?? resourceVersion;
    if (asked !== resourceVersion)
      throw new Refusal(409, 'Conflict', `the recipe "${name}" has been modified`);
    const fixed = { name, namespace, uid, creationTimestamp };
    const metadata = {
      ...sent.metadata,
      ...fixed,
      ...(deletionTimestamp && { deletionTimestamp }),
    };
    const next = { ...sent, metadata } as Recipe;
    if (deletionTimestamp !== undefined && !metadata.finalizers?.length) return this.#remove(next);
    return this.#store('MODIFIED', next);
  }

  /** Removes it, or marks it where finalizers hold it. */
  delete(namespace: string, name: string, uid?: string): Recipe {
    const old = this.get(namespace, name);
    if (uid !== undefined && uid !== old.metadata.uid)
      throw new Refusal(409, 'Conflict', `the recipe "${name}" is another one`);
    if (!old.metadata.finalizers?.length) return this.#remove(old);
    if (old.metadata.deletionTimestamp !== undefined) return old;
    const metadata = { ...old.metadata, deletionTimestamp: now() };
    return this.#store('MODIFIED', { ...old, metadata });
  }

  /** Changes after a revision, and those that come; the answer ends it. */
  watch(after: string, listener: (change: Change) => void): () => void {
    const from = Number(after);
    const oldest = Number(this.#history[0]?.object.metadata.resourceVersion ?? this.#revision + 1);
    if (this.#history.length === MAX_HISTORY && from + 1 < oldest)
      throw new Refusal(410, 'Expired', `too old resource version: ${after} (${oldest})`);
    for (const change of this.#history)
      if (Number(change.object.metadata.resourceVersion) > from) listener(change);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #store(type: Change['type'], item: Recipe): Recipe {
    const made = this.#withRevision(item);
    this.#items.set(`${made.metadata.namespace}/${made.metadata.name}`, made);
    this.#tell({ type, object: made });
    return made;
  }

  #remove(item: Recipe): Recipe {
    const last = this.#withRevision(item);
    this.#items.delete(`${last.metadata.namespace}/${last.metadata.name}`);
    this.#tell({ type: 'DELETED', object: last });
    return last;
  }

  #withRevision(item: Recipe): Recipe {
    this.#revision += 1;
    const metadata = { ...item.metadata, resourceVersion: String(this.#revision) };
    return { ...item, apiVersion: API_VERSION, kind: 'Recipe', metadata };
  }

  #tell(change: Change): void {
    this.#history.push(change);
    if (this.#history.length > MAX_HISTORY) this.#history.shift();
    for (const listener of this.#listeners) listener(change);
  }
}

/** Is it in that namespace, or are all meant? */
export const isIn = ({ metadata }: Recipe, namespace: string): boolean =>
  namespace === '' || metadata.namespace === namespace;

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;
