// What LimitRanges do to pods and claims: fill in what is not asked for, and find what is beyond their bounds.
// Invariant: what a writer said is never changed. Wordings are those API clients know.
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../generated/types.ts';
import { parseResources, podLimits, podRequests } from '../meta/pod-resources.ts';
import type { ResourceList } from '../meta/pod-resources.ts';
import type { Quantity } from '../meta/quantity.ts';
import { compareQuantities, formatQuantity, toNumber, tryParseQuantity } from '../meta/quantity.ts';

/** Says on a pod what was filled in. */
export const LIMIT_RANGER_ANNOTATION = 'kubernetes.io/limit-ranger';

/** What an object asks for and is held to. */
interface Asked {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

type Written = Record<string, string>;

/** Fills the containers' requests and limits from the ranges, in their order. */
export function applyLimitRangeDefaults(pod: Pod, ranges: readonly LimitRange[]): void {
  const { spec, metadata } = pod;
  const notes: string[] = [];
  for (const item of ranges.flatMap((range) => itemsOf(range, 'Container'))) {
    for (const container of spec?.initContainers ?? []) {
      notes.push(...fill(container, item, 'init container'));
    }
    for (const container of spec?.containers ?? []) {
      notes.push(...fill(container, item, 'container'));
    }
  }
  if (notes.length === 0) return;
  const note = `LimitRanger plugin set: ${notes.join('; ')}`;
  metadata.annotations = { ...metadata.annotations, [LIMIT_RANGER_ANNOTATION]: note };
}

function itemsOf({ spec }: LimitRange, type: string): LimitRangeItem[] {
  return (spec?.limits ?? []).filter((item) => item.type === type);
}

/** Fills one container; tells what was missing. */
function fill(container: Container, item: LimitRangeItem, what: string): string[] {
  container.resources ??= {};
  const { resources } = container;
  const notes: string[] = [];
  const merge = (written: Written = {}, defaults: Written = {}, side: string): Written => {
    const missing = Object.keys(defaults).filter((name) => written[name] === undefined);
    if (missing.length === 0) return written;
    const names = missing.toSorted((a, b) => (a < b ? -1 : 1)).join(', ');
    notes.push(`${names} ${side} for ${what} ${container.name}`);
    return { ...defaults, ...written };
  };
  const requests = merge(resources.requests, item.defaultRequest, 'request');
  const limits = merge(resources.limits, item.default, 'limit');
  if (Object.keys(requests).length > 0) resources.requests = requests;
  if (Object.keys(limits).length > 0) resources.limits = limits;
  return notes;
}

/** Where a pod is beyond the ranges' bounds. */
export function podBeyondLimits({ spec }: Pod, ranges: readonly LimitRange[]): string[] {
  // Most namespaces have none, and adding up what a pod asks for takes a while.
  if (spec === undefined || ranges.length === 0) return [];
  const whole: Asked = { requests: podRequests(spec), limits: podLimits(spec) };
  const parts = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
    ({ resources }): Asked => ({
      requests: parseResources(resources?.requests),
      limits: parseResources(resources?.limits),
    }),
  );
  return ranges.flatMap((range) => [
    ...itemsOf(range, 'Container').flatMap((item) => parts.flatMap((one) => beyond(one, item))),
    ...itemsOf(range, 'Pod').flatMap((item) => beyond(whole, item)),
  ]);
}

/** Where a claim is beyond the ranges' bounds. */
export function claimBeyondLimits(
  { spec }: PersistentVolumeClaim,
  ranges: readonly LimitRange[],
): string[] {
  const requests = parseResources(spec?.resources?.requests);
  return ranges
    .flatMap((range) => itemsOf(range, 'PersistentVolumeClaim'))
    .flatMap((item) => [
      ...each(item.min, (name, bound) => belowLeast(name, bound, { item, requests, limits: {} })),
      ...each(item.max, (name, bound) => {
        const request = requests[name];
        const text = `maximum ${name} usage per ${item.type} is ${formatQuantity(bound)}`;
        if (request === undefined) return `${text}.  No request is specified`;
        return above(request, bound) ? `${text}, but request is ${formatQuantity(request)}` : '';
      }),
    ]);
}

interface Compared extends Asked {
  readonly item: LimitRangeItem;
}

function beyond(asked: Asked, item: LimitRangeItem): string[] {
  const compared: Compared = { ...asked, item };
  return [
    ...each(item.min, (name, bound) => belowLeast(name, bound, compared)),
    ...each(item.max, (name, bound) => aboveMost(name, bound, compared)),
    ...each(item.maxLimitRequestRatio, (name, bound) => aboveRatio(name, bound, compared)),
  ];
}

/** The broken ones of these bounds; an empty text is none. */
function each(
  bounds: Readonly<Written> | undefined,
  check: (name: string, bound: Quantity) => string,
): string[] {
  return Object.entries(bounds ?? {}).flatMap(([name, text]) => {
    const bound = tryParseQuantity(text);
    const broken = bound === undefined ? '' : check(name, bound);
    return broken === '' ? [] : [broken];
  });
}

const above = (amount: Quantity, bound: Quantity) => compareQuantities(amount, bound) > 0;

function belowLeast(name: string, bound: Quantity, { item, requests, limits }: Compared): string {
  const text = `minimum ${name} usage per ${item.type} is ${formatQuantity(bound)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (request === undefined) return `${text}.  No request is specified`;
  if (above(bound, request)) return `${text}, but request is ${formatQuantity(request)}`;
  const low = limit !== undefined && above(bound, limit);
  return low ? `${text}, but limit is ${formatQuantity(limit)}` : '';
}

function aboveMost(name: string, bound: Quantity, { item, requests, limits }: Compared): string {
  const text = `maximum ${name} usage per ${item.type} is ${formatQuantity(bound)}`;
  const [request, limit] = [requests[name], limits[name]];
  if (limit === undefined) return `${text}.  No limit is specified`;
  if (above(limit, bound)) return `${text}, but limit is ${formatQuantity(limit)}`;
  const high = request !== undefined && above(request, bound);
  return high ? `${text}, but request is ${formatQuantity(request)}` : '';
}

function aboveRatio(name: string, bound: Quantity, { item, requests, limits }: Compared): string {
  const most = formatQuantity(bound);
  const text = `${name} max limit to request ratio per ${item.type} is ${most}, but`;
  const [request, limit] = [requests[name], limits[name]];
  if (!request || request.nanos === 0n) return `${text} no request is specified or request is 0`;
  if (!limit || limit.nanos === 0n) return `${text} no limit is specified or limit is 0`;
  const ratio = toNumber(limit) / toNumber(request);
  return ratio > toNumber(bound) ? `${text} provided ratio is ${ratio.toFixed(6)}` : '';
}
