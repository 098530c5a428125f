// Kind: what defineKind makes. A KindRef that also knows its schema, its rules and its other versions.
// Invariant: a value without state; everything it answers is the caller's own.
import type { FieldError } from '../../../api/field-error.ts';
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
} from '../../../api/generated/types.ts';
import type { KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import type { Random } from '../../../base/random.ts';
import type { RuleCost } from './kind-rules.ts';

/** Marks kinds, so that those of another copy of this module are known, too. */
export const KIND: unique symbol = Symbol.for('pinnace.kind') as never;

/** How a definition is made. */
export interface DefinitionOptions {
  /** Where versions are converted. */
  readonly conversion?: CustomResourceConversion | undefined;
}

/** From which version to which: `v1alpha1→v1`. */
export type ConversionStep = `${string}→${string}`;

/** One version of a kind. Converters take whole objects and answer whole ones; they change nothing of what they are given. */
export interface KindVersion {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  /** Are there functions? Where not, versions differ by their name only. */
  readonly converts: boolean;
  /** From this version to the one that the kind was defined in. */
  readonly toHub: (object: KubeObject) => KubeObject;
  /** From the version that the kind was defined in to this one. */
  readonly fromHub: (object: KubeObject) => KubeObject;
}

/** A kind of one's own. `T` is what its objects are as they are read, `W` what a user writes of one. */
export interface Kind<T extends KubeObject = KubeObject, W = never> extends KindRef<T> {
  readonly [KIND]: true;
  /** The version that objects are stored in. */
  readonly storageVersion: string;
  /** Every version by its name, this one among them. */
  readonly versions: ReadonlyMap<string, KindVersion>;
  /** Every conversion by its step, as `converting(kind, kind.converters)` takes them: empty where versions have none. */
  readonly converters: Readonly<Record<ConversionStep, (object: KubeObject) => KubeObject>>;
  /** The definition, checked. Throws KindError where its versions are converted and nobody says where. */
  definition(options?: DefinitionOptions): CustomResourceDefinition;
  /** The object with just what was written: for server-side apply, which owns what it says. */
  manifest(written: W): LooseObject;
  /** The object as a server would store it, defaults filled in. Throws StatusError where metadata is none. */
  object(written: W): T;
  /** What a server would find wrong with the object, metadata included; `old` makes it an update. Of any version of the kind. */
  validate(object: unknown, old?: unknown): readonly FieldError[];
  /** Throws the server's own refusal (StatusError, Invalid or BadRequest) where the object is wrong. */
  assertValid(object: unknown, old?: unknown): void;
  /** Fields that a server would drop, or refuse where it is asked to be strict. */
  unknownFields(object: unknown): readonly string[];
  /** What the CEL rules may cost at worst, dearest first. */
  ruleCosts(): readonly RuleCost[];
  /** The object in another version (`v1alpha1`). Throws KindError for a version that the kind does not have. */
  convert(object: KubeObject, to: string): KubeObject;
  /** An object that is valid, made from the schema; the same for the same randomness. Throws KindError where it finds none. */
  sample(random: Random): T;
  /** The same in another version. */
  sampleIn(version: string, random: Random): KubeObject;
  /** Fields, types, defaults and rules in Markdown. */
  reference(): string;
}

/** Is it a kind that defineKind made? */
export function isKind(value: unknown): value is Kind {
  return typeof value === 'object' && value !== null && KIND in value;
}
