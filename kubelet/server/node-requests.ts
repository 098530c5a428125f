// What the API server may ask a node's agent and be answered at once or by a stream: health, pods, figures, logs.
// node-server.ts serves it over HTTPS; fake nodes are asked by a call.
// Invariant: answers the caller is let in to; who that is has been decided before.
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import { containerLogs } from './container-logs.ts';
import type { ContainerPath } from './container-lookup.ts';
import type { NodePods } from './node-pods.ts';
import { RequestFailure } from './request-failure.ts';
import { statsSummary } from './stats-summary.ts';

/** What answers are made from. */
export interface NodeRequestParts {
  readonly nodeName: string;
  readonly pods: NodePods;
  readonly runtime: ContainerRuntime;
  readonly logs: PodLogs;
  /** Connects to a port on the loopback of a pod. Rejects with a message for people. */
  connect(pod: Pod, port: number): Promise<Duplex>;
  readonly clock: Clock;
  readonly logger: Logger;
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
const TEXT_TYPE = 'text/plain';

/** What a request is about. */
export interface NodeTarget {
  /** Decoded, without the leading slash. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Answers a GET of a path with its query. Throws RequestFailure. */
export async function answerNodeRequest(
  parts: NodeRequestParts,
  url: string,
  signal: AbortSignal,
): Promise<NodeAnswer> {
  const { path, query } = nodeTarget(url);
  const { pods, nodeName, runtime } = parts;
  switch (path[0]) {
    case 'healthz':
      return { contentType: TEXT_TYPE, body: 'ok' };
    case 'pods':
      return json({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: pods.list() });
    case 'stats':
      if (path[1] !== 'summary') break;
      return json(
        statsSummary({ name: nodeName, ...runtime.nodeStats() }, pods.list(), pods.stats()),
      );
    case 'containerLogs': {
      const { logs, clock } = parts;
      const body = await containerLogs(containerPath(path), query, { pods, logs, clock, signal });
      return { contentType: TEXT_TYPE, body };
    }
    default:
  }
  throw new RequestFailure(404, '404 page not found');
}

/** Takes a path with its query apart. Throws RequestFailure. */
export function nodeTarget(text: string): NodeTarget {
  const url = new URL(text, 'https://node');
  try {
    const path = url.pathname.split('/').slice(1).map(decodeURIComponent);
    return { path, query: url.searchParams };
  } catch {
    throw new RequestFailure(400, 'the path cannot be decoded');
  }
}

/** The container that a path of four parts names. Throws RequestFailure. */
export function containerPath(path: readonly string[]): ContainerPath {
  const [, namespace, pod, container] = path;
  if (!namespace || !pod || !container || path.length !== 4)
    throw new RequestFailure(404, '404 page not found');
  return { namespace, pod, container };
}

function json(value: object): NodeAnswer {
  return { contentType: JSON_TYPE, body: JSON.stringify(value) };
}
