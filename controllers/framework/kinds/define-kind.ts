// defineKind: a kind of one's own from one schema value. Types, definition, checks, conversion and documentation follow from it.
// Invariant: a Kind that exists is one that a server takes: everything is checked when it is made, by the server's own rules.
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../../api/generated/types.ts';
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, LooseObject } from '../../../api/meta/object.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import type { Random } from '../../../base/random.ts';
import {
  type Converters,
  convertersOf,
  convertWithin,
  type OtherConverters,
  versionsOf,
} from './conversion.ts';
import { definitionFaults } from './definition-check.ts';
import { type DefinitionOptions, type Kind, KIND } from './kind.ts';
import { KindError, type KindFault } from './kind-error.ts';
import { rulesByVersion } from './kind-rules.ts';
import { deprecation, formVersion, type VersionOptions } from './kind-version.ts';
import type { ObjectOf, SchemaValue, StoredObject, WrittenObject } from './object-types.ts';
import { pluralOf } from './plural.ts';
import { referenceOf } from './reference.ts';
import { sampleOf } from './samples.ts';

/** A version of the kind besides the one that is defined, as a kind of its own, and how its objects become this one's and back. */
export type OtherVersion<K, T extends KubeObject> = Converters<ObjectOf<K>, T> & {
  readonly kind: K;
  /** Do clients still get it? So it is unless told. */
  readonly served?: boolean;
  readonly deprecated?: boolean | string;
};

/** What a kind is. `S` is the schema of its spec, `T` that of its status. */
export interface KindOptions<S, T, V extends readonly unknown[]> extends VersionOptions {
  readonly group: string;
  readonly kind: string;
  /** Lower-case plural as it stands in URLs; made of the kind unless given. */
  readonly plural?: string;
  readonly singular?: string;
  /** In namespaces unless told. */
  readonly scope?: 'Cluster' | 'Namespaced';
  readonly shortNames?: readonly string[];
  /** Such as `all`: `kubectl get all` shows the kind then. */
  readonly categories?: readonly string[];
  readonly spec: S & SchemaValue;
  readonly status?: T & (SchemaValue | undefined);
  /** Older and newer versions that are served beside this one. */
  readonly versions?: { readonly [N in keyof V]: OtherVersion<V[N], StoredObject<S, T>> };
  /** The version that objects are stored in; this one unless told. */
  readonly storageVersion?: string;
  /** Where versions are converted, for kinds whose versions have converters; `installKinds` takes it too. */
  readonly conversion?: CustomResourceConversion;
}

/** Makes a kind. Throws KindError with everything that is wrong with it, and what to write instead. */
export function defineKind<
  const S extends SchemaValue,
  const T extends SchemaValue | undefined = undefined,
  const V extends readonly Kind[] = [],
>(options: KindOptions<S, T, V>): Kind<StoredObject<S, T>, WrittenObject<S>> {
  type Stored = StoredObject<S, T>;
  requireParts(options);
  const { group, version, kind, scope = 'Namespaced', plural = pluralOf(kind) } = options;
  const namespaced = scope === 'Namespaced';
  const ref: KindRef<Stored> = { group, version, kind, plural, namespaced };
  const others = (options.versions ?? []) as unknown as readonly LooseVersion[];
  const crd = checkedDefinition(options, ref, others);
  const storage = options.storageVersion ?? version;
  const rules = rulesByVersion(crd, version);
  const versions = versionsOf({ ref, storage, others, rulesOf: rules.of });
  const type = { apiVersion: apiVersionOf(ref), kind };
  const typed = (written: WrittenObject<S>) => ({ ...type, ...written }) as unknown as LooseObject;
  return Object.freeze({
    ...ref,
    [KIND]: true as const,
    storageVersion: storage,
    versions,
    converters: convertersOf(versions, version),
    definition: ({ conversion }: DefinitionOptions = {}) =>
      finished(crd, conversion ?? options.conversion, versions),
    manifest: typed,
    object: (written: WrittenObject<S>) => rules.of(version).withDefaults(typed(written)) as Stored,
    validate: (object: unknown, old?: unknown) => rules.about(object).errors(object, old),
    assertValid: (object: unknown, old?: unknown) => rules.about(object).assertValid(object, old),
    unknownFields: (object: unknown) => rules.about(object).unknownFields(object),
    ruleCosts: () => rules.of(version).costs(),
    convert: (object: KubeObject, to: string) => convertWithin({ ref, versions }, object, to),
    sample: (random: Random) => sampleOf(rules.of(version), random) as Stored,
    sampleIn: (name: string, random: Random) => sampleOf(rules.of(name), random),
    reference: () => referenceOf(crd),
  });
}

/** What the types ask for may be missing all the same in plain JavaScript. */
function requireParts(options: LooseOptions): void {
  const faults = (['group', 'version', 'kind'] as const).flatMap((path) =>
    options[path] ? [] : [{ path, message: 'must be given, a text' }],
  );
  if (faults.length > 0) throw new KindError('this is no kind', faults);
}

/** Another version with the types of its objects erased. */
interface LooseVersion extends OtherConverters {
  readonly kind: Kind;
  readonly deprecated?: boolean | string;
}

type LooseOptions = KindOptions<unknown, unknown, readonly unknown[]>;

/** The definition, which conversion is not yet a part of. Throws KindError. */
function checkedDefinition(
  options: LooseOptions,
  ref: KindRef,
  others: readonly LooseVersion[],
): CustomResourceDefinition {
  const { group, version, kind, plural } = ref;
  const { categories, scope = 'Namespaced', shortNames, singular, storageVersion } = options;
  const own = formVersion(options);
  const storage = storageVersion ?? version;
  const stored = (each: CustomResourceDefinitionVersion) => ({
    ...each,
    storage: each.name === storage,
  });
  const crd: CustomResourceDefinition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: {
        kind,
        plural,
        singular: singular ?? kind.toLowerCase(),
        listKind: `${kind}List`,
        ...(shortNames && { shortNames: [...shortNames] }),
        ...(categories && { categories: [...categories] }),
      },
      versions: [own.version, ...others.map(versionOfOther)].map(stored),
    },
  };
  const formed = [...own.faults, ...otherFaults(ref, others)];
  // A schema with holes breaks rules that its author never meant to break.
  const faults = formed.length > 0 ? formed : definitionFaults(crd);
  if (faults.length === 0) return crd;
  throw new KindError(`${kind} (${group}/${version}) is no kind that a server would take`, faults);
}

function versionOfOther({ kind, served = true, deprecated }: LooseVersion) {
  const [own] = kind.definition({ conversion: { strategy: 'None' } }).spec.versions;
  return { ...(own as CustomResourceDefinitionVersion), served, ...deprecation(deprecated) };
}

function otherFaults(ref: KindRef, others: readonly LooseVersion[]): KindFault[] {
  return others.flatMap(({ kind, up, down }) => {
    const path = `versions (${kind.version})`;
    const faults: KindFault[] = [];
    for (const name of ['group', 'kind', 'plural', 'namespaced'] as const)
      if (kind[name] !== ref[name]) {
        const message = `its ${name} is ${JSON.stringify(kind[name])}, not ${JSON.stringify(ref[name])}: versions are of one kind`;
        faults.push({ path, message });
      }
    if ((up === undefined) !== (down === undefined))
      faults.push({ path, message: 'conversion goes both ways: give up and down, or neither' });
    return faults;
  });
}

/** The definition with how its versions are converted. Throws KindError where nobody says where that is done. */
function finished(
  crd: CustomResourceDefinition,
  conversion: CustomResourceConversion | undefined,
  versions: Kind['versions'],
): CustomResourceDefinition {
  const made = structuredClone(crd);
  const converted = [...versions.values()].some(({ converts }) => converts);
  const { group, names } = made.spec;
  const what = `${names.kind} (${group}) has no definition yet`;
  if (conversion === undefined) {
    if (!converted) return made;
    const message =
      'its versions are converted by functions: say where they are served (webhookServer(…).conversion, given to installKinds(client, kinds, { conversion }) or to definition({ conversion }))';
    throw new KindError(what, [{ path: 'conversion', message }]);
  }
  made.spec.conversion = structuredClone(conversion);
  if (deepEqual(conversion, { strategy: 'None' })) return made;
  const faults = definitionFaults(made);
  if (faults.length > 0) throw new KindError(what, faults);
  return made;
}
