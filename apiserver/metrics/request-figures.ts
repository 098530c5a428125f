// What the server counts of its requests, under upstream's names and labels.
// Invariants: a request costs one look-up and a few additions; labels come from what is served, never from what a caller
// makes up, so the number of series has its bound.
import { table } from '../../base/table.ts';
import { type Count, type Figures, MAX_SERIES, type Spread } from '../../base/figures.ts';
import type { ResourceDefinition } from '../../api/definition.ts';
import type { Reply, Request, UserInfo, WatchFrame } from '../../api/wire/exchange.ts';
import { isLongRunning } from '../inflight.ts';
import { overseen } from '../overseen.ts';
import type { PathInfo, RequestInfo, ResourceInfo } from '../request-info.ts';

/** An answered request. */
export interface AnsweredRequest {
  readonly request: Request;
  /** Undefined where the request could not be read. */
  readonly info: RequestInfo | undefined;
  readonly user: UserInfo;
  readonly reply: Reply;
  readonly ms: number;
  /** Whether it was counted among those worked on; those that run for long, and those turned away, were not. */
  readonly entered: boolean;
  /** What admission noted. */
  readonly annotations: ReadonlyMap<string, string>;
}

/** Upper bounds of request durations, seconds; upstream's. */
const SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
/** Upper bounds of answers' sizes, bytes. */
const SIZES = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/** Upper bounds of events' sizes, bytes. */
const EVENT_SIZES = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];
const OF_RESOURCE = ['group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
const OF_WATCH = ['group', 'version', 'resource'] as const;
const SUBRESOURCES = new Set(
  (
    'status scale log exec attach portforward proxy binding bindings eviction ephemeralcontainers ' +
    'resize token approval finalize samples'
  ).split(' '),
);
const PATHS =
  /^\/(healthz|livez|readyz|metrics|version|api|apis|openapi|\.well-known|openid)(?=\/|$)/;
const VERBS: Readonly<Record<string, string>> = table({
  create: 'POST',
  update: 'PUT',
  head: 'GET',
});
const CONNECTING = new Set(['exec', 'attach', 'portforward', 'proxy']);
const COMPONENT = 'apiserver';
const TOO_MANY = 429;

/** The figures of one sort of request. */
interface Series {
  readonly labels: readonly string[];
  readonly codes: Map<number, Count>;
  readonly dryRun: string;
  readonly duration: Spread;
  readonly sli: Spread;
  readonly size: Spread | undefined;
  readonly longRunning: boolean;
}

/** What the figures look at of a kind: whether its use is warned of. */
export type ServedKind = Pick<ResourceDefinition, 'deprecation'>;

/** Counts requests. */
export class RequestFigures {
  readonly #families;
  readonly #series = new Map<string, Series>();
  readonly #kindOf: (info: ResourceInfo) => ServedKind | undefined;

  /** `kindOf`: what the server has by that name, if anything. */
  constructor(figures: Figures, kindOf: (info: ResourceInfo) => ServedKind | undefined) {
    this.#families = familiesOf(figures);
    this.#kindOf = kindOf;
  }

  /** Counts an answered request. A watch or an upgraded connection is counted as long as it lasts: the reply to send instead. */
  answered(answer: AnsweredRequest): Reply {
    const { info, request, reply, ms } = answer;
    const series = this.#seriesOf(info, request);
    const code = reply.kind === 'upgrade' ? 101 : reply.status;
    let count = series.codes.get(code);
    if (!count) {
      const [verb = '', ...rest] = series.labels;
      count = this.#families.total.of(verb, series.dryRun, ...rest, String(code));
      series.codes.set(code, count);
    }
    count.add();
    if (code === TOO_MANY && !answer.entered)
      this.#families.terminations.of(...series.labels, String(code)).add();
    if (series.longRunning && reply.kind !== 'body') return this.#lasting(series, reply);
    const seconds = ms / 1000;
    series.duration.observe(seconds);
    series.sli.observe(seconds);
    if (series.size && reply.kind === 'body') series.size.observe(bytesOf(reply.body));
    return reply;
  }

  #seriesOf(info: RequestInfo | undefined, request: Request): Series {
    const dryRun = request.query.has('dryRun') ? 'All' : '';
    const verb = verbOf(info, request);
    const key = `${verb} ${dryRun} ${placeOf(info)}`;
    const known = this.#series.get(key);
    if (known) return known;
    const series = this.#make(info, verb, dryRun);
    // Names that callers make up are looked at each time, and kept nowhere.
    const isOurs = info?.kind !== 'resource' || this.#isKnown(info);
    if (isOurs && this.#series.size < MAX_SERIES) this.#series.set(key, series);
    return series;
  }

  #make(info: RequestInfo | undefined, verb: string, dryRun: string): Series {
    const place = info?.kind === 'resource' ? this.#labelsOf(info) : pathLabels(info);
    const rest = [...place, COMPONENT];
    const labels = [verb, ...rest];
    if (info?.kind === 'resource' && this.#kindOf(info)?.deprecation !== undefined)
      this.#families.deprecated.of(...place.slice(0, 4), '').value = 1;
    const { durations, sli, sizes } = this.#families;
    return {
      labels,
      dryRun,
      codes: new Map<number, Count>(),
      duration: durations.of(verb, dryRun, ...rest),
      sli: sli.of(verb, dryRun, ...rest),
      size: verb === 'GET' || verb === 'LIST' ? sizes.of(...labels) : undefined,
      longRunning: info !== undefined && isLongRunning(info),
    };
  }

  #isKnown(info: ResourceInfo): boolean {
    return this.#kindOf(info) !== undefined && isKnownPart(info.subresource);
  }

  /** Group, version, resource, subresource and scope. */
  #labelsOf(info: ResourceInfo): readonly string[] {
    if (!this.#kindOf(info)) return ['', '', '', '', scopeOf(info)];
    const part = isKnownPart(info.subresource) ? (info.subresource ?? '') : 'other';
    return [info.group, info.version, info.resource, part, scopeOf(info)];
  }

  #lasting(series: Series, reply: Reply): Reply {
    const [verb = '', group = '', version = '', resource = ''] = series.labels;
    const open = this.#families.longRunning.of(...series.labels);
    if (reply.kind === 'upgrade') {
      const { connection } = reply;
      const accept: typeof connection.accept = (socket, head) => {
        open.add();
        socket.once('close', () => open.add(-1));
        connection.accept(socket, head);
      };
      return { kind: 'upgrade', connection: { headers: connection.headers, accept } };
    }
    const counting = { begin: () => open.add(), end: () => open.add(-1) };
    if (reply.kind === 'stream') return { ...reply, body: overseen(reply.body, counting) };
    if (reply.kind !== 'watch' || verb !== 'WATCH') return reply;
    const events = this.#families.events.of(group, version, resource);
    const sizes = this.#families.eventSizes.of(group, version, resource);
    const item = (batch: readonly WatchFrame[]) => {
      events.add(batch.length);
      for (const frame of batch) sizes.observe(frame.bytes.length);
    };
    return { ...reply, frames: overseen(reply.frames, { ...counting, item }) };
  }
}

function familiesOf(figures: Figures) {
  const labels = ['verb', ...OF_RESOURCE] as const;
  const timed = ['verb', 'dry_run', ...OF_RESOURCE] as const;
  return {
    total: figures.counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, dry run, resource, scope and HTTP response code.',
      labels: [...timed, 'code'],
    }),
    durations: figures.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from a request to its answer.',
      labels: timed,
      buckets: SECONDS,
    }),
    sli: figures.histogram({
      name: 'apiserver_request_sli_duration_seconds',
      help: 'Time from a request to its answer, without waiting for others (webhooks, fair queues).',
      labels: timed,
      buckets: SECONDS,
    }),
    sizes: figures.histogram({
      name: 'apiserver_response_sizes',
      help: 'Bytes of answers to reads, before compression.',
      labels,
      buckets: SIZES,
    }),
    longRunning: figures.level({
      name: 'apiserver_longrunning_requests',
      help: 'Watches, logs and connections that are open now.',
      labels,
    }),
    terminations: figures.counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that the server turned away to keep itself up.',
      labels: [...labels, 'code'],
    }),
    deprecated: figures.level({
      name: 'apiserver_requested_deprecated_apis',
      help: 'Kinds whose use is warned of and that were asked for; always 1.',
      labels: ['group', 'version', 'resource', 'subresource', 'removed_release'],
    }),
    events: figures.counter({
      name: 'apiserver_watch_events_total',
      help: 'Events sent to watchers.',
      labels: OF_WATCH,
    }),
    eventSizes: figures.histogram({
      name: 'apiserver_watch_events_sizes',
      help: 'Bytes of events sent to watchers.',
      labels: OF_WATCH,
      buckets: EVENT_SIZES,
    }),
  };
}

const isKnownPart = (subresource: string | undefined): boolean =>
  subresource === undefined || SUBRESOURCES.has(subresource);

const bytesOf = (chunks: readonly Uint8Array[]): number => {
  let sum = 0;
  for (const chunk of chunks) sum += chunk.length;
  return sum;
};

/** Of a path, its first part takes the subresource's place, as upstream. */
const pathLabels = (info: PathInfo | undefined): readonly string[] => [
  '',
  '',
  '',
  PATHS.exec(info?.path ?? '')?.[0] ?? '',
  '',
];

function placeOf(info: RequestInfo | undefined): string {
  if (info?.kind !== 'resource') return PATHS.exec(info?.path ?? '')?.[0] ?? '';
  const { group, version, resource, subresource = '' } = info;
  return `${group}/${version}/${resource}/${subresource}/${scopeOf(info)}`;
}

function scopeOf({ name, namespace, verb }: ResourceInfo): string {
  if (name !== undefined || verb === 'create') return 'resource';
  return namespace === '' ? 'cluster' : 'namespace';
}

function verbOf(info: RequestInfo | undefined, request: Request): string {
  if (info === undefined) return 'OTHER';
  if (info.kind === 'resource' && CONNECTING.has(info.subresource ?? '')) return 'CONNECT';
  const applies = request.headers['content-type']?.startsWith('application/apply-patch');
  if (info.verb === 'patch' && applies) return 'APPLY';
  return VERBS[info.verb] ?? info.verb.toUpperCase();
}
