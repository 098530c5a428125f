// The static types of a kind's objects, from the schemas of its spec and its status.
// Invariant: types only. Written is what a user may send; stored is what a server answers, defaults filled in.
import type { KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, ObjectMeta } from '../../../api/meta/object.ts';
import type { FromJsonSchema, JsonSchema } from './json-schema.ts';
import type { ZodSchema } from './zod.ts';

/** A schema: zod's, or JSON Schema as a literal. */
export type SchemaValue = ZodSchema | JsonSchema;

/** Values of a schema as they may be written. */
export type Written<S> = S extends { readonly _zod: { readonly input: infer I } }
  ? I
  : FromJsonSchema<S, 'written'>;

/** Values of a schema as they are stored. */
export type Stored<S> = S extends { readonly _zod: { readonly output: infer O } }
  ? O
  : FromJsonSchema<S, 'stored'>;

type SpecField<X> = undefined extends X ? { spec?: X | undefined } : { spec: X };
/** Nothing where the kind has no status. */
type StatusField<T> = [T] extends [undefined] ? object : { status?: Stored<T> | undefined };

/** An object as it is stored: `S` is the schema of its spec, `T` that of its status. */
export type StoredObject<S, T> = KubeObject & SpecField<Stored<S>> & StatusField<T>;

/** What a user writes of an object: apiVersion and kind are known. */
export type WrittenObject<S> = { metadata: ObjectMeta } & SpecField<Written<S>>;

/** The objects of a kind, as they are read. */
export type ObjectOf<K> = K extends KindRef<infer T> ? T : never;

/** The spec of a kind's objects, as it is read. */
export type SpecOf<K> =
  ObjectOf<K> extends { spec: infer X } ? X : ObjectOf<K> extends { spec?: infer X } ? X : never;

/** The status of a kind's objects. */
export type StatusOf<K> = ObjectOf<K> extends { status?: infer X } ? NonNullable<X> : never;
