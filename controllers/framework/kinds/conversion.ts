// Objects of a kind from one version to another: each version has a way to the one the kind was defined in, and back.
// Invariant: names, owners and all else of metadata but labels and annotations stay as they are; inputs are never changed.
import { apiVersionOf, type KindRef } from '../../../api/kind-ref.ts';
import type { KubeObject, ObjectMeta } from '../../../api/meta/object.ts';
import type { ConversionStep, KindVersion } from './kind.ts';
import { KindError } from './kind-error.ts';
import type { KindRules } from './kind-rules.ts';

/** What a converter answers: all but apiVersion and kind. Of metadata, labels and annotations count, and only where it is there. */
export type Converted<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly metadata?: ObjectMeta;
};

/** From another version (`O`) to this one (`T`) and back. Pure: the same object always becomes the same. */
export interface Converters<O, T> {
  readonly up?: (
    old: O,
  ) => O extends KubeObject ? (T extends KubeObject ? Converted<T> : never) : never;
  readonly down?: (now: T) => O extends KubeObject ? Converted<O> : never;
}

/** Another version as defineKind is given it, its types erased. */
export interface OtherConverters extends Converters<KubeObject, KubeObject> {
  readonly kind: KindRef;
  readonly served?: boolean;
}

/** What versions are made of. */
export interface VersionParts {
  readonly ref: KindRef;
  readonly storage: string;
  readonly others: readonly OtherConverters[];
  /** Defaults and fields of a version. */
  readonly rulesOf: (version: string) => KindRules;
}

/** All versions of a kind by name. What they answer is pruned and has its defaults, as a server would serve it. */
export function versionsOf(parts: VersionParts): ReadonlyMap<string, KindVersion> {
  const { ref, storage, others } = parts;
  const same = (object: KubeObject) => object;
  const own = { name: ref.version, served: true, converts: false, toHub: same, fromHub: same };
  const all = [own, ...others.map((other) => versionOf(other, parts))];
  return new Map(all.map((each) => [each.name, { ...each, storage: each.name === storage }]));
}

function versionOf(other: OtherConverters, { ref, rulesOf }: VersionParts) {
  const { kind, served = true, up, down } = other;
  const [hub, own] = [rulesOf(ref.version), rulesOf(kind.version)];
  return {
    name: kind.version,
    served,
    converts: up !== undefined && down !== undefined,
    toHub: (object: KubeObject) => turned(own.withDefaults(object), hub, up),
    fromHub: (object: KubeObject) => turned(hub.withDefaults(object), own, down),
  };
}

function turned(
  object: KubeObject,
  target: KindRules,
  convert: ((object: KubeObject) => Converted<KubeObject>) | undefined,
): KubeObject {
  const made = convert === undefined ? object : joined(object, convert(object));
  const apiVersion = apiVersionOf(target.resource.ref);
  return target.withDefaults({ ...made, apiVersion });
}

/** What a converter answers, with the metadata of the object that it was given. */
function joined(before: KubeObject, after: Converted<KubeObject>): KubeObject {
  const { metadata: said = before.metadata, ...content } = after;
  const { labels: _, annotations: __, ...kept } = before.metadata;
  const { labels, annotations } = said;
  const metadata = { ...kept, ...(labels && { labels }), ...(annotations && { annotations }) };
  const { apiVersion, kind } = before;
  return { apiVersion, kind, metadata, ...content };
}

/** Each way from the version that the kind was defined in and back, by its step. */
export function convertersOf(
  versions: ReadonlyMap<string, KindVersion>,
  hub: string,
): Record<ConversionStep, (object: KubeObject) => KubeObject> {
  const steps: Record<ConversionStep, (object: KubeObject) => KubeObject> = {};
  for (const { name, converts, toHub, fromHub } of versions.values()) {
    if (!converts) continue;
    steps[`${name}→${hub}`] = toHub;
    steps[`${hub}→${name}`] = fromHub;
  }
  return steps;
}

/** The object in another version, by way of the one that the kind was defined in. Throws KindError for an unknown version. */
export function convertWithin(
  { ref, versions }: { ref: KindRef; versions: ReadonlyMap<string, KindVersion> },
  object: KubeObject,
  to: string,
): KubeObject {
  const from = object.apiVersion.slice(object.apiVersion.lastIndexOf('/') + 1);
  const [source, target] = [versions.get(from), versions.get(to)];
  const ours = object.apiVersion === apiVersionOf({ ...ref, version: from });
  if (ours && source && target) return from === to ? object : target.fromHub(source.toHub(object));
  const message = `there is no way from ${object.apiVersion} to ${to}; versions of ${ref.group} are ${[...versions.keys()].join(', ')}`;
  throw new KindError(`${ref.kind} cannot be converted`, [{ path: 'apiVersion', message }]);
}
