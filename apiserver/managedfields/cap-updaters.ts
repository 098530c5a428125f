// Keeps the list of owners short: many writers with names of their own would let it grow without end.
// Invariant: appliers are never merged; what was owned stays owned, by the bucket of its version.
import { union } from '../../api/fieldset/field-set.ts';
import type { Owner } from './owners.ts';

/** Owners by update beyond this lose their names, the oldest first. Upstream's limit. */
export const MAX_UPDATERS = 10;
/** The owner of what owners without a name left. */
export const ANCIENT = 'ancient-changes';

/** The owners with the oldest updaters put together. One that is alone in its version keeps its name. */
export function withFewUpdaters(owners: readonly Owner[]): readonly Owner[] {
  const updaters = owners.filter(({ operation }) => operation === 'Update');
  let length = updaters.length;
  if (length <= MAX_UPDATERS) return owners;
  updaters.sort(byAge);
  const first = new Map<string, Owner>();
  const buckets = new Map<string, Owner>();
  const gone = new Set<Owner>();
  for (const updater of updaters) {
    if (length <= MAX_UPDATERS) break;
    const { apiVersion } = updater;
    const older = first.get(apiVersion);
    if (older === undefined) {
      first.set(apiVersion, updater);
      continue;
    }
    const before = buckets.get(apiVersion) ?? bucketIn(owners, updater) ?? older;
    gone.add(before).add(updater);
    buckets.set(apiVersion, {
      ...updater,
      manager: ANCIENT,
      subresource: '',
      fields: union(before.fields, updater.fields),
    });
    length -= 1;
  }
  return [...owners.filter((owner) => !gone.has(owner)), ...buckets.values()];
}

/** The bucket that earlier writes left, unless it is itself the one to be put away. */
function bucketIn(owners: readonly Owner[], updater: Owner): Owner | undefined {
  const found = owners.find(
    ({ manager, apiVersion, operation, subresource }) =>
      manager === ANCIENT &&
      apiVersion === updater.apiVersion &&
      operation === 'Update' &&
      subresource === '',
  );
  return found === updater ? undefined : found;
}

function byAge(a: Owner, b: Owner): number {
  const [mine, theirs] = [a, b].map(({ time = '', manager, subresource }) =>
    [time, manager, subresource].join('\n'),
  );
  return (mine ?? '') < (theirs ?? '') ? -1 : 1;
}
