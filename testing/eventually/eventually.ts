// eventually: waiting for one object, for its end, or for a list, whatever the test runner.
// Invariant: what is wanted is judged on each state that the server tells of, from the first on; a state between two looks may be missed.
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { InformerScope } from '../../client/informer/informer.ts';
import type { DeepPartial } from '../../client/rest/client.ts';
import { differences, told } from './differences.ts';
import { messageOf } from './failure.ts';
import { type ClockedClient, waitFor, type WaitOptions } from './wait.ts';

/** Which object. `namespace` is `default` unless given, for kinds that have one. */
export interface Where {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Which objects: of all namespaces unless one is given. */
export type WhichOf = Pick<InformerScope, 'namespace' | 'labelSelector' | 'fieldSelector'>;

/**
 * What is wanted of an object: some of its parts (`differences` says how they are compared), or a function that answers false or throws
 * as long as it is not so; what it throws last is told. A runner's `expect` may be used inside.
 */
export type Wanted<T> = DeepPartial<T> | ((object: T) => boolean | void);

/** What is wanted of a list: how many, parts of items that all have to be found, or a function as for an object. */
export type WantedOfList<T> =
  | number
  | readonly DeepPartial<T>[]
  | ((items: readonly T[]) => boolean | void);

/**
 * Resolves with the object once it is as wanted; frozen, and without managedFields, as caches hold it. Rejects with an EventuallyError
 * that tells what is missing, or with the signal's reason.
 */
// oxlint-disable-next-line max-params -- reads as the sentence that it is
export function eventually<T extends KubeObject>(
  client: ClockedClient,
  ref: KindRef<T>,
  where: Where,
  wanted: Wanted<T>,
  options: WaitOptions = {},
): Promise<T> {
  return waitFor<T, T>({
    ...options,
    client,
    ref,
    scope: scopeOf(ref, where),
    headline: `${nameOf(ref, where)} did not become what is wanted`,
    judge: ([object]) => {
      if (!object) return { missing: ['it is not there'] };
      const missing =
        typeof wanted === 'function' ? objections(wanted, object) : differences(wanted, object);
      return missing.length === 0 ? { result: object } : { missing };
    },
  });
}

/** Resolves once there is no such object. Rejects as `eventually` does. */
// oxlint-disable-next-line max-params -- reads as the sentence that it is
export function eventuallyGone(
  client: ClockedClient,
  ref: KindRef,
  where: Where,
  options: WaitOptions = {},
): Promise<void> {
  return waitFor<KubeObject, void>({
    ...options,
    client,
    ref,
    scope: scopeOf(ref, where),
    headline: `${nameOf(ref, where)} did not go`,
    judge: ([object]) => (object ? { missing: whyItStays(object) } : { result: undefined }),
  });
}

/** Resolves with the objects, in the order of their names, once they are as wanted. Rejects as `eventually` does. */
// oxlint-disable-next-line max-params -- reads as the sentence that it is
export function eventuallyList<T extends KubeObject>(
  client: ClockedClient,
  ref: KindRef<T>,
  which: WhichOf,
  wanted: WantedOfList<T>,
  options: WaitOptions = {},
): Promise<readonly T[]> {
  return waitFor<T, readonly T[]>({
    ...options,
    client,
    ref,
    scope: which,
    headline: `the list of ${ref.plural}${told(which) === '{}' ? '' : ` ${told(which)}`} did not become what is wanted`,
    judge: (objects) => {
      const items = objects.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b)));
      const missing = missingOfList(wanted, items);
      return missing.length === 0 ? { result: items } : { missing };
    },
  });
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

const namespaceOf = (ref: KindRef, { namespace = 'default' }: Where): string | undefined =>
  ref.namespaced ? namespace : undefined;

function scopeOf(ref: KindRef, where: Where): InformerScope {
  return { namespace: namespaceOf(ref, where), fieldSelector: `metadata.name=${where.name}` };
}

function nameOf(ref: KindRef, where: Where): string {
  const namespace = namespaceOf(ref, where);
  return `${ref.kind} ${namespace === undefined ? '' : `${namespace}/`}${where.name}`;
}

function missingOfList<T extends KubeObject>(
  wanted: WantedOfList<T>,
  items: readonly T[],
): readonly string[] {
  if (typeof wanted === 'function') return objections(wanted, items);
  if (typeof wanted === 'number')
    return items.length === wanted ? [] : [`wanted ${wanted}, but there are ${items.length}`];
  return wanted.flatMap((each) => missingOfItem(each, items));
}

/** Nothing where one of the items is as wanted; else what the nearest lacks. */
function missingOfItem(wanted: unknown, items: readonly KubeObject[]): readonly string[] {
  const lacks = items
    .map((item) => ({ item, missing: differences(wanted, item) }))
    .sort((a, b) => a.missing.length - b.missing.length);
  const [nearest] = lacks;
  if (nearest?.missing.length === 0) return [];
  const none = `none of ${items.length} is like ${told(wanted)}`;
  if (!nearest) return [none];
  return [
    `${none}; the nearest, ${keyOf(nearest.item)}:`,
    ...nearest.missing.map((line) => `  ${line}`),
  ];
}

/** `(pod) => expect(pod)…` answers what chai's matchers answer when they do not throw, though its type says nothing. */
const isAssertion = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && '__flags' in answer;

/** What a function of the test's own has against the value. */
function objections<V>(judge: (value: V) => unknown, value: V): readonly string[] {
  let answer: unknown;
  try {
    answer = judge(value);
  } catch (error) {
    return messageOf(error).split('\n');
  }
  if (answer === undefined || answer === true || isAssertion(answer)) return [];
  if (answer === false) return [`not yet: ${judge.toString()}`];
  throw new TypeError(
    `what is wanted has to answer true, false or nothing, at once, but answered ${told(answer)}; compare with === or !!, and wait for several things one after another`,
  );
}

function whyItStays({ metadata }: KubeObject): string[] {
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp === undefined) return ['nobody has deleted it'];
  const held = finalizers.length > 0 ? `; its finalizers are ${finalizers.join(', ')}` : '';
  return [`it is being deleted since ${deletionTimestamp}${held}`];
}
