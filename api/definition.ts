// ResourceDefinition: what a kind is, as data and pure functions. One per kind, in api/<group>/<kind>.ts.
// Invariant: nothing here does I/O or reads a clock; hooks that mutate get an object that is theirs alone.
import type { FieldError } from './field-error.ts';
import type { MergeType } from './fieldset/merge-type.ts';
import type { KindRef } from './kind-ref.ts';
import type { KubeObject, LooseObject, ObjectMeta } from './meta/object.ts';
import type { Decoded } from './schema/decode.ts';
import type { GroupVersionKind, Schema } from './schema/schema.ts';

/** One column of `kubectl get`. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0 is always shown; 1 with `-o wide`. */
  readonly priority?: number;
  /** The cell; `nowMs` is for ages. */
  value(object: T, nowMs: number): string | number | bigint | boolean | null;
}

/** Where the scale subresource finds its figures. */
export interface ScaleAccess<T> {
  specReplicas(object: T): number;
  statusReplicas(object: T): number;
  /** The selector in text form, as HPA reads it. */
  selector(object: T): string;
  /** Returns the object with spec.replicas replaced. */
  withReplicas(object: T, replicas: number): T;
}

/** How a further version of a kind is turned into the one that is stored, and back. Both are pure. */
export interface StoredAs {
  /** Of the stored form. */
  readonly apiVersion: string;
  toStored(object: LooseObject): LooseObject;
  fromStored(object: LooseObject): LooseObject;
}

/** At once where nobody has to be asked. */
export type MaybePromise<T> = T | Promise<T>;

/**
 * How objects of a kind come out of storage and go into it where that follows the kind's own definition: custom resources.
 * Answers may take asking a webhook; errors are StatusErrors. Nothing that is handed in is changed.
 */
export interface StoredForm {
  /** Is what was written at this revision served as it stands? */
  isServed(revision: bigint): boolean;
  /** Stored objects in this version and as its schema is now, in order; the same object where nothing is to be changed. */
  serve(objects: readonly LooseObject[]): MaybePromise<readonly LooseObject[]>;
  /** An object of this version as it is to be stored. */
  store(object: LooseObject): MaybePromise<LooseObject>;
  /** Objects of this version in another one of the kind. */
  convert(
    objects: readonly LooseObject[],
    apiVersion: string,
  ): MaybePromise<readonly LooseObject[]>;
  /** Told when a write begins; the answer is to be called when it is over, with its revision where it made one. */
  writing(): (revision?: bigint) => void;
}

/** What stands in the place of a generated schema for custom resources. */
export interface CustomType {
  /** How writes are owned. */
  readonly mergeType: MergeType;
  /** Equal ones are described equally: documents are told apart by it without being made. */
  readonly identity: string;
  /** How documents describe the kind and its list, by name. */
  readonly schemas: ReadonlyMap<string, Schema>;
  /** As decodeObject. */
  decode(value: unknown, gvk: GroupVersionKind): Decoded;
}

/** The parts of metadata that writers have a say in. */
export const WRITABLE_METADATA = [
  'annotations',
  'finalizers',
  'labels',
  'ownerReferences',
] as const satisfies readonly (keyof ObjectMeta)[];

/** One of them. */
export type WritableMetadata = (typeof WRITABLE_METADATA)[number];

/** How a kind behaves. Optional hooks are left out where the kind has no such rule. */
export interface ResourceDefinition<T extends KubeObject = KubeObject> {
  readonly ref: KindRef<T>;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Name of the generated schema, e.g. `io.k8s.api.core.v1.Pod`; of one of `custom` where that is set. */
  readonly schemaName: string;
  /** Set for custom resources: there is no generated schema. */
  readonly custom?: CustomType;
  readonly verbs: readonly ResourceVerb[];
  /** Has a status written only through /status; writes elsewhere keep the stored one. */
  readonly hasStatus: boolean;
  /** What a write of status leaves of metadata as it is; the rest is the writer's, as in any write. */
  readonly keptByStatus?: readonly WritableMetadata[];
  /** A create keeps the status that the writer sent: for what describes itself. */
  readonly createdWithStatus?: true;
  /** metadata.generation counts changes of spec. */
  readonly hasGeneration: boolean;
  readonly scale?: ScaleAccess<T>;
  /** No controller acts on objects of the kind yet; who makes one is told what does not happen. */
  readonly unattended?: string;
  /** A PUT of an object that is not there makes it; for other kinds it is refused with 404. */
  readonly createdByPut?: true;
  /** A PUT must name the version that it rests on: there is no blind replacing. */
  readonly putNeedsVersion?: true;
  /** A delete that does not say otherwise leaves its dependents, with this word of warning, if any. */
  readonly orphansByDefault?: { readonly warning?: string };
  /** A finished delete answers with the object as it was last; for other kinds with a Status. */
  readonly returnsDeleted?: true;
  /** Further subresources (binding, log, exec, eviction, …) for discovery; each has its own handler. */
  readonly subresources: readonly SubresourceEntry<T>[];
  readonly columns: readonly Column<T>[];
  /** Fields usable in field selectors besides metadata.name and metadata.namespace. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  /** Set on a further version of a kind; the hooks below, columns and fields then see the stored form. */
  readonly storedAs?: StoredAs;
  /** Set where storage has another form than is served, by the definition of the kind; all hooks see the served one. */
  readonly form?: StoredForm;
  /** Finalizers that come with the first delete: somebody has to clean up first. */
  readonly finalizersOnDelete?: readonly string[];
  /** Aborted when the kind is no more, or is served in another way: watches of it end, and begin anew. */
  readonly gone?: AbortSignal;
  /** Set while the kind itself is being deleted: nothing new is taken. */
  readonly ending?: boolean;
  /** The rule for metadata.name; DNS subdomain unless given. Answers the reason why not, or undefined. */
  validateName?(name: string): string | undefined;
  /** Fills what the writer left out. Runs on each decoded object, new or stored. */
  defaults?(object: T): void;
  /** After defaults, on create: resets what the writer may not set (status, for one, is dropped before this). */
  prepareForCreate?(object: T): void;
  /** After defaults, on update: carries over what this write may not change. */
  prepareForUpdate?(object: T, old: T): void;
  /** After defaults, on writes through /status or another part of it: carries over what that way may not change. */
  prepareForStatus?(object: T, old: T, subresource: string): void;
  /** The kind's rules; `old` on updates (immutable fields are checked here). */
  validate?(object: T, old: T | undefined): FieldError[];
  /** Rules of a write through /status. */
  validateStatus?(object: T, old: T): FieldError[];
  /**
   * Further rules of either write, which may take long: asked last, given what the others came to. It yields where others should
   * come in between; undefined where there are none.
   */
  validateLong?(
    object: T,
    old: T | undefined,
    errors: readonly FieldError[],
  ): Generator<undefined, FieldError[]> | undefined;
  /** Set on a kind or version that is to go: a text for the `Warning` header of every answer. */
  readonly deprecation?: string;
  /** Texts for `Warning` headers; `old` on updates, of which those that change no generation are not looked at. */
  warnings?(object: T, old?: T): string[];
}

/** Verbs in discovery. */
export type ResourceVerb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch';

/** The verbs of an ordinary kind. */
export const ALL_VERBS: readonly ResourceVerb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** The verbs of a proxy: every method is passed on. */
export const PROXY_VERBS: readonly ResourceVerb[] = ['create', 'delete', 'get', 'patch', 'update'];

/** What a write of a part of spec may change, and how. Both stand in place of the kind's own; as those, pure. */
export interface PartRules<T extends KubeObject = KubeObject> {
  /** Puts back all that is none of the part. */
  prepareForUpdate(object: T, old: T): void;
  validate(object: T, old: T): FieldError[];
}

/** A subresource as discovery lists it. */
export interface SubresourceEntry<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly ResourceVerb[];
  /** Set where it is a way of its own to get, update and patch a part of spec; it needs no handler then. */
  readonly part?: PartRules<T>;
}

/** Keeps the type of `T` while checking the shape. */
export function defineResource<T extends KubeObject>(
  definition: ResourceDefinition<T>,
): ResourceDefinition<T> {
  return definition;
}
