// The parameters that a binding hands to its policy: objects of any kind, looked up when a request comes.
// Invariant: reads the visible store, so what was answered is seen; a binding that cannot be understood is an error, which
// the policy's failure policy decides about.
import type { ResourceDefinition } from '../../../api/definition.ts';
import type { ParamKind, ParamRef } from '../../../api/generated/types.ts';
import { fromLabelSelector } from '../../../api/meta/labels.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import type { Scheme } from '../../../api/scheme.ts';
import { collectionPrefix, objectKey } from '../../registry/keys.ts';
import type { ObjectStore, VisibleObject } from '../../watch/object-store.ts';
import { servedFrom } from '../versions.ts';

/** A policy or a binding that says what cannot be. Its message is upstream's. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/** The definition of a policy's parameters; undefined where it has none. Throws ConfigurationError for a kind that is not served. */
export function paramDefinition(
  kind: ParamKind | undefined,
  scheme: Scheme,
): ResourceDefinition | undefined {
  if (kind === undefined) return undefined;
  const [version = '', group = ''] = (kind.apiVersion ?? '').split('/').reverse();
  const found = scheme.byKind(group, version, kind.kind ?? '');
  if (found) return found;
  const name = `${group === '' ? '/' : `${group}/`}${version}, Kind=${kind.kind ?? ''}`;
  throw new ConfigurationError(`failed to find resource referenced by paramKind: '${name}'`);
}

/** Which parameters a binding means, for a request in a namespace; '' for one of the cluster. */
export interface ParamQuery {
  readonly ref: ParamRef | undefined;
  readonly namespace: string;
}

/**
 * What a policy is asked with, once each: nothing where it has no parameters or the binding names none. Empty where the
 * binding names some that are not there and lets that pass. Throws ConfigurationError.
 */
export async function paramsOf(
  definition: ResourceDefinition | undefined,
  { ref, namespace }: ParamQuery,
  store: ObjectStore,
): Promise<readonly (LooseObject | undefined)[]> {
  if (definition === undefined || ref === undefined) return [undefined];
  const place = placeOf(definition, ref, namespace);
  const found = ref.name
    ? [store.get(objectKey(definition.ref, place, ref.name))?.object()]
    : selected(store.list(collectionPrefix(definition.ref, place)).items, ref);
  const there = found.filter((object) => object !== undefined);
  if (there.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError(
      'no params found for policy binding with `Deny` parameterNotFoundAction',
    );
  }
  return Promise.all(there.map((object) => servedFrom(definition, object)));
}

/** The namespace to look in: the one that is named, else that of the request. */
function placeOf({ ref: { namespaced } }: ResourceDefinition, ref: ParamRef, namespace: string) {
  if (!namespaced) {
    if (!ref.namespace) return '';
    const why = 'paramRef.namespace must not be provided for a cluster-scoped `paramKind`';
    throw new ConfigurationError(why);
  }
  const place = ref.namespace || namespace;
  if (place !== '') return place;
  throw new ConfigurationError(
    'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
  );
}

function selected(items: readonly VisibleObject[], ref: ParamRef): LooseObject[] {
  const selector = fromLabelSelector(ref.selector ?? {});
  const objects = items.map((item) => item.object());
  return objects.filter(({ metadata }) => selector.matches(metadata.labels));
}
