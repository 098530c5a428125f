// What a pod asks for and may use, all containers together, and its quality-of-service class.
// Scheduler, node agent and autoscaler share these rules: init containers run before the others, one at
// a time, except those that restart always, which stay beside them (Kubernetes docs: Init Containers, Sidecars).
import type { Container, PodSpec } from '../generated/types.ts';
import type { Quantity } from './quantity.ts';
import {
  addQuantities,
  compareQuantities,
  maxQuantity,
  tryParseQuantity,
  ZERO_QUANTITY,
} from './quantity.ts';

/** Amounts by resource name. */
export type ResourceList = Readonly<Record<string, Quantity>>;

/** Which half of `resources` is meant. */
type Side = 'requests' | 'limits';

/** `cpu`, `memory` and huge pages can be stated for the pod as a whole. */
const POD_LEVEL = /^(cpu|memory|hugepages-.+)$/;

/** The amounts a written list states; what is no quantity is left out. */
export function parseResources(
  written: Readonly<Record<string, string>> | undefined,
): ResourceList {
  const list: Record<string, Quantity> = {};
  if (!written) return list;
  for (const name of Object.keys(written)) {
    const quantity = tryParseQuantity(written[name] ?? '');
    if (quantity) list[name] = quantity;
  }
  return list;
}

/**
 * What the scheduler must find room for, overhead included. `unstated` is what a container counts for in resources
 * that it states no request for; nothing unless given.
 */
export function podRequests(spec: PodSpec, unstated: ResourceList = {}): ResourceList {
  const figure = (container: Container) => ({ ...unstated, ...containerRequests(container) });
  return withOverhead(total(spec, 'requests', figure), spec);
}

/** The most the pod may use, overhead included for resources that are limited at all. */
export function podLimits(spec: PodSpec): ResourceList {
  const limits = total(spec, 'limits', ({ resources }) => parseResources(resources?.limits));
  const overhead = parseResources(spec.overhead);
  const relevant = Object.entries(overhead).filter(([name]) => limits[name] !== undefined);
  return sum(limits, Object.fromEntries(relevant));
}

/** What one container asks for: its requests, or its limits where it states no request. */
export function containerRequests(container: Container): ResourceList {
  const { requests, limits } = container.resources ?? {};
  return { ...parseResources(limits), ...parseResources(requests) };
}

function total(
  spec: PodSpec,
  side: Side,
  of: (container: Container) => ResourceList,
): ResourceList {
  let running: ResourceList = {};
  let sidecars: ResourceList = {};
  let starting: ResourceList = {};
  for (const container of spec.containers ?? []) running = sum(running, of(container));
  for (const container of spec.initContainers ?? []) {
    const own = of(container);
    if (container.restartPolicy === 'Always') {
      running = sum(running, own);
      sidecars = sum(sidecars, own);
      starting = most(starting, sidecars);
    } else starting = most(starting, sum(own, sidecars));
  }
  const whole = Object.entries(parseResources(spec.resources?.[side]));
  const podLevel = Object.fromEntries(whole.filter(([name]) => POD_LEVEL.test(name)));
  return { ...most(running, starting), ...podLevel };
}

function withOverhead(list: ResourceList, spec: PodSpec): ResourceList {
  return spec.overhead === undefined ? list : sum(list, parseResources(spec.overhead));
}

function merge(
  a: ResourceList,
  b: ResourceList,
  join: (x: Quantity, y: Quantity) => Quantity,
): ResourceList {
  const joined: Record<string, Quantity> = { ...a };
  for (const [name, quantity] of Object.entries(b)) {
    joined[name] = join(joined[name] ?? ZERO_QUANTITY, quantity);
  }
  return joined;
}

const sum = (a: ResourceList, b: ResourceList): ResourceList => merge(a, b, addQuantities);
const most = (a: ResourceList, b: ResourceList): ResourceList => merge(a, b, maxQuantity);

/** Who is killed first when a node runs short; the last shall be Guaranteed. */
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Guaranteed when every container limits CPU and memory and asks for just that; BestEffort when none asks at all. */
export function qosClassOf(spec: PodSpec): QosClass {
  const stated = spec.resources?.requests ?? spec.resources?.limits;
  const holders =
    stated === undefined
      ? [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
      : [{ resources: spec.resources }];
  const classes = holders.map((holder) => qosOf(holder.resources));
  if (classes.every((one) => one === 'BestEffort')) return 'BestEffort';
  return classes.every((one) => one === 'Guaranteed') ? 'Guaranteed' : 'Burstable';
}

function qosOf({ limits = {}, requests = {} }: NonNullable<Container['resources']> = {}): QosClass {
  let [stated, guaranteed] = [false, true];
  for (const name of ['cpu', 'memory']) {
    const limit = amountOf(limits[name]);
    const request = amountOf(requests[name]) ?? limit;
    if (isSome(limit) || isSome(request)) stated = true;
    const same = limit && request && compareQuantities(limit, request) === 0;
    if (!isSome(limit) || !same) guaranteed = false;
  }
  if (!stated) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const amountOf = (text: string | undefined): Quantity | undefined =>
  text === undefined ? undefined : tryParseQuantity(text);
const isSome = (amount: Quantity | undefined): boolean => amount !== undefined && amount.nanos > 0n;
