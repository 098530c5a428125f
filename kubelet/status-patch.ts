// What of a status the API has already, and the patch that tells it the rest. Pure.
// Invariant: conditions and fields of others are left alone; what this agent states replaces what it stated before, whole.
import type { ConditionShape } from '../api/meta/conditions.ts';
import { deepEqual } from '../api/meta/deep-equal.ts';

/** A status with conditions: of a Pod or a Node. */
interface Told {
  readonly conditions?: readonly ConditionShape[] | undefined;
}

/** Fields of a condition that may be missing; a strategic merge patch keeps what it does not name. */
const OPTIONAL = ['reason', 'message', 'lastProbeTime', 'observedGeneration'] as const;
/** Conditions that this agent alone states, and takes back when they do not hold any more. */
const PASSING = ['PodResizePending', 'PodResizeInProgress'];

/** Passing conditions that are known of and not wanted. */
function takenBack(known: Told, wanted: Told): string[] {
  const has = ({ conditions }: Told, type: string) => conditions?.some((c) => c.type === type);
  return PASSING.filter((type) => has(known, type) && !has(wanted, type));
}

/** Lists that a strategic merge patch would join to what was there, by their addresses. */
const JOINED = ['hostIPs', 'podIPs', 'addresses'] as const;

/**
 * Has `known` everything that `wanted` says? What else it has, conditions of others among it, does not matter, nor do
 * the `ignored` fields of conditions.
 */
export function covers(known: Told, wanted: Told, ignored: readonly string[] = []): boolean {
  const plain = (condition: ConditionShape) =>
    Object.fromEntries(Object.entries(condition).filter(([field]) => !ignored.includes(field)));
  if (wanted.conditions && takenBack(known, wanted).length > 0) return false;
  return Object.entries(wanted).every(([field, value]) => {
    const there = known[field as keyof Told];
    if (field !== 'conditions') return deepEqual(there, value) || (!there && isEmpty(value));
    return (wanted.conditions ?? []).every((condition) => {
      const there = known.conditions?.find(({ type }) => type === condition.type);
      return there !== undefined && deepEqual(plain(there), plain(condition));
    });
  });
}

/** The API leaves out lists with nothing in them. */
const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0;

/** The body of a strategic merge patch after which `covers` holds, where the API has what is `known`. */
export function statusPatch(status: Told, known: Told = {}): Record<string, unknown> {
  const body: Record<string, unknown> = { ...status };
  for (const field of JOINED)
    if (Array.isArray(body[field])) body[field] = [{ $patch: 'replace' }, ...body[field]];
  if (status.conditions)
    body['conditions'] = [
      ...status.conditions.map((condition) => ({
        ...Object.fromEntries(OPTIONAL.map((field) => [field, null])),
        ...condition,
      })),
      ...takenBack(known, status).map((type) => ({ type, $patch: 'delete' })),
    ];
  return body;
}
