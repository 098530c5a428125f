// metrics.k8s.io over the in-memory figures: get, list, watch; and the door through which nodes send their samples.
// Invariant: a node sends samples of itself only.
import { NodeMetricsKind, PodMetricsKind } from '../../api/kinds.ts';
import type { Column } from '../../api/definition.ts';
import { parseLabelSelector } from '../../api/meta/labels.ts';
import type { KubeObject, LooseObject } from '../../api/meta/object.ts';
import type { NodeSample } from '../../api/metrics/sample.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { badRequest, forbidden, notFound, StatusError } from '../../api/status.ts';
import type { Reply, Request, WatchFrame } from '../../api/wire/exchange.ts';
import { toTable } from '../../api/wire/table.ts';
import { BoundedQueue } from '../../base/bounded-queue.ts';
import type { Clock } from '../../base/clock.ts';
import { numbersOf } from '../handlers/list-options.ts';
import type { VirtualHandler } from '../pipeline.ts';
import { WATCH_TIMEOUT_MS } from '../options.ts';
import { JSON_TYPE, objectReply } from '../reply.ts';
import { parseBody } from '../request-body.ts';
import type { ResourceInfo } from '../request-info.ts';
import { errorFrame } from '../watch/watch-frames.ts';
import type { MetricsEvent, MetricsKind, MetricsStore } from './metrics-store.ts';

const GROUP = 'metrics.k8s.io';
const VERSION = 'v1beta1';
/** Batches that a watcher may be behind before it is ended with Expired. */
const MAX_PENDING_BATCHES = 100;
const NODE_USER = 'system:node:';

/** The resources, for discovery. */
export const metricsResources: readonly ServedResource[] = [
  { ref: NodeMetricsKind, singular: '', verbs: ['get', 'list', 'watch'] },
  { ref: PodMetricsKind, singular: '', verbs: ['get', 'list', 'watch'] },
];

/** Answers metrics.k8s.io. */
export function metricsApi(store: MetricsStore, clock: Clock): VirtualHandler {
  return (request, user, info) => {
    if (info.group !== GROUP || info.version !== VERSION) return undefined;
    const kind = info.resource;
    if (kind !== 'pods' && kind !== 'nodes') return undefined;
    if (info.subresource === 'samples' && info.verb === 'create')
      return Promise.resolve().then(() => take(store, { request, info, username: user.username }));
    if (info.subresource !== undefined) return undefined;
    return Promise.resolve().then(() => read({ store, clock, request, info, kind }));
  };
}

interface Reading {
  readonly store: MetricsStore;
  readonly clock: Clock;
  readonly request: Request;
  readonly info: ResourceInfo;
  readonly kind: MetricsKind;
}

function take(
  store: MetricsStore,
  at: { request: Request; info: ResourceInfo; username: string },
): Reply {
  const node = at.info.name ?? '';
  if (at.username.startsWith(NODE_USER) && at.username !== NODE_USER + node)
    throw forbidden({ group: GROUP, plural: 'nodes' }, node, 'a node sends samples of itself only');
  const { value } = parseBody(at.request);
  if (!isSample(value))
    throw badRequest(
      'the body is not a NodeSample: timestampMs, windowMs, node and pods are needed',
    );
  const outcome = store.put(node, value);
  if (outcome === 'no such node') throw notFound({ group: '', plural: 'nodes' }, node);
  if (outcome === 'too many nodes')
    throw new StatusError('TooManyRequests', 'figures of too many nodes are kept already');
  return { kind: 'body', status: 204, headers: {}, body: [] };
}

/** The last instant that a Date can say. */
const MAX_TIME_MS = 8.64e15;

function isSample(value: unknown): value is NodeSample {
  const { timestampMs, windowMs, node, pods } = fieldsOf(value);
  if (!isFigure(timestampMs) || timestampMs > MAX_TIME_MS || !isFigure(windowMs)) return false;
  return isUsage(node) && Array.isArray(pods) && pods.every(isPodSample);
}

function isPodSample(value: unknown): boolean {
  const { namespace, name, containers } = fieldsOf(value);
  if (typeof namespace !== 'string' || typeof name !== 'string') return false;
  return Array.isArray(containers) && containers.every(isUsage);
}

function isUsage(value: unknown): boolean {
  const { cpuNanoCores, memoryBytes } = fieldsOf(value);
  return isFigure(cpuNanoCores) && isFigure(memoryBytes);
}

function isFigure(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function read(at: Reading): Reply {
  const { store, info, kind } = at;
  switch (info.verb) {
    case 'get': {
      const found = store.get(kind, info.namespace, info.name ?? '');
      if (!found) throw notFound({ group: GROUP, plural: kind }, info.name ?? '');
      return shown(at, [found], () => found);
    }
    case 'list': {
      numbersOf(at.request.query);
      const matches = selector(at);
      const items = store.list(kind, info.namespace).filter(matches);
      return shown(at, items, () => ({
        kind: kind === 'pods' ? 'PodMetricsList' : 'NodeMetricsList',
        apiVersion: `${GROUP}/${VERSION}`,
        metadata: { resourceVersion: store.revision },
        items,
      }));
    }
    case 'watch':
      return watch(at);
    default:
      throw new StatusError('MethodNotAllowed', 'figures are read only');
  }
}

const COLUMNS: readonly Column<KubeObject>[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'What is measured.',
    value: (o) => o.metadata.name ?? '',
  },
];

function shown(
  { request, clock, store }: Reading,
  items: readonly KubeObject[],
  plain: () => object,
): Reply {
  if (!(request.headers['accept'] ?? '').includes('as=Table')) return objectReply(plain());
  const listMeta = { resourceVersion: store.revision };
  return objectReply(toTable({ columns: COLUMNS }, items, { nowMs: clock.now(), listMeta }));
}

function selector({ request, info }: Reading): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(request.query.get('labelSelector') ?? '');
  return ({ metadata }) =>
    labels.matches(metadata.labels ?? {}) &&
    (info.name === undefined || metadata.name === info.name) &&
    (info.namespace === '' || metadata.namespace === info.namespace);
}

/** The changes from now on; the present figures first where no resourceVersion was given. */
function watch(at: Reading): Reply {
  const { store, request, kind, info } = at;
  const matches = selector(at);
  const { timeoutMs = WATCH_TIMEOUT_MS } = numbersOf(request.query);
  const queue = new BoundedQueue<readonly WatchFrame[]>(MAX_PENDING_BATCHES);
  const asked = request.query.get('resourceVersion') ?? '';
  if (asked === '' || asked === '0')
    queue.push(
      store
        .list(kind, info.namespace)
        .filter(matches)
        .map((object) => frameOf({ kind, type: 'ADDED', object })),
    );
  let behind = false;
  const unsubscribe = store.subscribe((events) => {
    const frames = events
      .filter((event) => event.kind === kind && matches(event.object))
      .map(frameOf);
    if (frames.length > 0 && !queue.push(frames)) {
      behind = true;
      queue.close();
    }
  });
  // Runs on every way out, also when nobody ever reads a frame.
  const finish = () => {
    queue.close();
    timer.cancel();
    unsubscribe();
    request.signal.removeEventListener('abort', finish);
  };
  const timer = at.clock.timer(timeoutMs, finish);
  request.signal.addEventListener('abort', finish, { once: true });
  if (request.signal.aborted) finish();
  return {
    kind: 'watch',
    status: 200,
    headers: { 'content-type': JSON_TYPE },
    frames: drain(queue, { finish, isBehind: () => behind }),
  };
}

async function* drain(
  queue: BoundedQueue<readonly WatchFrame[]>,
  at: { finish: () => void; isBehind: () => boolean },
): AsyncGenerator<readonly WatchFrame[]> {
  try {
    for (let batch = await queue.next(); batch; batch = await queue.next()) yield batch;
    if (at.isBehind())
      yield [errorFrame(new StatusError('Expired', 'this watch fell behind; list again'))];
  } finally {
    at.finish();
  }
}

/** Frames are shared by all watchers of an event. */
const frames = new WeakMap<object, WatchFrame>();

function frameOf(event: MetricsEvent): WatchFrame {
  const known = frames.get(event);
  if (known) return known;
  const value = { type: event.type, object: event.object as unknown as LooseObject };
  let bytes: Uint8Array | undefined;
  const frame: WatchFrame = {
    get bytes() {
      return (bytes ??= Buffer.from(`${JSON.stringify(value)}\n`));
    },
    event: () => value,
  };
  frames.set(event, frame);
  return frame;
}
