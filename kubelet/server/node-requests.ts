// What the API server may ask a node's agent and be answered at once or by a stream: health, pods, figures, configuration, logs.
// node-server.ts serves it over HTTPS; fake nodes are asked by a call.
// Invariant: answers whoever is let in; who that is has been decided before.
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import { isTrue } from '../../api/wire/query-flag.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { METRIC_TEXT_TYPE } from '../../base/metric-text.ts';
import type { Client } from '../../client/rest/client.ts';
import type { KubeletConfiguration } from '../configuration.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import type { AgentFigures } from '../stats/agent-figures.ts';
import type { MetricsPage, NodeShown } from '../stats/node-shown.ts';
import { containerLogs } from './container-logs.ts';
import type { ContainerPath } from './container-lookup.ts';
import { nodeHealth } from './node-health.ts';
import type { NodePods } from './node-pods.ts';
import { RequestFailure } from './request-failure.ts';
import { runningPods } from './running-pods.ts';

/** What answers are made from. */
export interface NodeRequestParts {
  readonly nodeName: string;
  readonly pods: NodePods;
  readonly runtime: ContainerRuntime;
  readonly logs: PodLogs;
  /** Connects to a port on the loopback of a pod. Rejects with a message for people. */
  connect(pod: Pod, port: number): Promise<Duplex>;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configuration: KubeletConfiguration;
  readonly figures: AgentFigures;
  readonly shown: NodeShown;
  /** When the runtime was last seen to answer, on the monotonic clock; undefined before the first time. */
  readonly measuredAtMs: () => number | undefined;
}

/** The agent's side, where requests come in. */
export interface NodeServer {
  readonly port: number;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Lets requests come in. Rejects when they cannot. */
export type ServeNode = (parts: NodeRequestParts) => Promise<NodeServer>;

/** An answer; a body in chunks ends with the caller's signal. */
export interface NodeAnswer {
  readonly contentType: string;
  readonly body: string | AsyncIterable<Uint8Array>;
}

/** Content type of objects. */
export const JSON_TYPE = 'application/json';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** What a request is about. */
export interface NodeTarget {
  /** Decoded, without the leading slash. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** What looks into pods, and is not served where enableDebuggingHandlers is false, as upstream. */
const DEBUGGING = ['containerLogs', 'exec', 'attach', 'portForward', 'run', 'runningpods'];
/** Paths by their first part that are counted by name; others are counted together. */
const COUNTED = [...DEBUGGING, 'healthz', 'pods', 'stats', 'metrics', 'configz'];

/** Answers a GET of a path with its query. Throws RequestFailure. */
export async function answerNodeRequest(
  parts: NodeRequestParts,
  url: string,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  const { path, query } = nodeTarget(url);
  const { pods, shown } = parts;
  refuseDebugging(parts, path);
  switch (path[0]) {
    case 'healthz':
      return { contentType: TEXT_TYPE, body: nodeHealth(parts, path.slice(1), query) };
    case 'pods':
      return json(podList(pods.list()));
    case 'runningpods':
      return json(podList(runningPods(pods)));
    case 'configz':
      return json({ kubeletconfig: parts.configuration });
    case 'stats':
      if (path[1] !== 'summary') break;
      return json(await shown.summary(isTrue(query.get('only_cpu_and_memory'))));
    case 'metrics':
      return { contentType: METRIC_TEXT_TYPE, body: await shown.page(metricsPage(path)) };
    case 'logs':
      throw new RequestFailure(405, 'logs endpoint is disabled.');
    case 'containerLogs': {
      const { logs, clock } = parts;
      const body = await containerLogs(containerPath(path), query, { pods, logs, clock, signal });
      return { contentType: TEXT_TYPE, body };
    }
    default:
  }
  throw notFound();
}

/** Throws RequestFailure for what the node's configuration has switched off. */
export function refuseDebugging(
  { configuration }: Pick<NodeRequestParts, 'configuration'>,
  [first = '']: readonly string[],
): void {
  if (!configuration.enableDebuggingHandlers && DEBUGGING.includes(first))
    throw new RequestFailure(405, 'Debug endpoints are disabled.');
}

/** The name under which requests of a path are counted. */
export function countedPath(url: string): string {
  const first = url.split(/[/?]/)[1] ?? '';
  return COUNTED.includes(first) ? first : 'other';
}

/** Takes a path with its query apart, and nothing away: `..` is a name like others, so that what is served is what was asked for. Throws RequestFailure. */
export function nodeTarget(text: string): NodeTarget {
  const mark = text.indexOf('?');
  const [pathname, query] = mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark + 1)];
  try {
    const path = pathname.split('/').slice(1).map(decodeURIComponent);
    // As upstream's own clients ask: /runningpods/ and /configz/ are the same without their last slash.
    if (path.length > 1 && path.at(-1) === '') path.pop();
    return { path, query: new URLSearchParams(query) };
  } catch {
    throw new RequestFailure(400, 'the path cannot be decoded');
  }
}

/** The container that a path of four parts names. Throws RequestFailure. */
export function containerPath(path: readonly string[]): ContainerPath {
  const [, namespace, pod, container] = path;
  if (!namespace || !pod || !container || path.length !== 4) throw notFound();
  return { namespace, pod, container };
}

function metricsPage([, page = '', ...more]: readonly string[]): MetricsPage {
  const known = page === '' || page === 'cadvisor' || page === 'resource' || page === 'probes';
  if (!known || more.length > 0) throw notFound();
  return page;
}

const podList = (items: readonly object[]) => ({
  apiVersion: 'v1',
  kind: 'PodList',
  metadata: {},
  items,
});

const notFound = () => new RequestFailure(404, '404 page not found');

function json(value: object): NodeAnswer {
  return { contentType: JSON_TYPE, body: JSON.stringify(value) };
}
