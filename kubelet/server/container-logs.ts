// GET /containerLogs/{namespace}/{pod}/{container}: query checked, log streamed with back-pressure.
// Invariant: the stream ends with the caller, with the container (when followed), or with the log.
import { isTrue } from '../../api/wire/query-flag.ts';
import { table } from '../../base/table.ts';
import type { Clock } from '../../base/clock.ts';
import { type LogQuery, logBytes } from '../logs/log-stream.ts';
import { LogNotFound, type PodLogs } from '../logs/pod-logs.ts';
import { type ContainerPath, containerForLog } from './container-lookup.ts';
import type { NodePods } from './node-pods.ts';
import { RequestFailure } from './request-failure.ts';

/** The log that a request asks for, in chunks. Throws RequestFailure before the first chunk, if at all. */
export async function containerLogs(
  path: ContainerPath,
  query: URLSearchParams,
  from: { pods: NodePods; logs: PodLogs; clock: Clock; signal: AbortSignal },
): Promise<AsyncGenerator<Uint8Array>> {
  const asked = logQuery(query, from.clock.now());
  const { id, logPath } = containerForLog(from.pods, path, isTrue(query.get('previous')));
  const grows = () => {
    const found = from.pods.find(path.namespace, path.pod);
    const now = found?.containers.get(path.container)?.find((each) => each.id === id);
    return now !== undefined && now.state !== 'exited';
  };
  const follow = isTrue(query.get('follow'))
    ? { clock: from.clock, signal: from.signal, grows }
    : undefined;
  const chunks = logBytes({ logs: from.logs, path: logPath, follow }, asked);
  try {
    // The log is opened now, so that its absence can still be told by a code.
    const first = await chunks.next();
    return resumed(first, chunks);
  } catch (error) {
    if (!(error instanceof LogNotFound)) throw error;
    throw new RequestFailure(404, `the log of container "${path.container}" is not there any more`);
  }
}

async function* resumed(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** What PodLogOptions names streams, and what logs do. */
const STREAMS: Readonly<Record<string, 'stdout' | 'stderr' | undefined>> = table({
  All: undefined,
  Stdout: 'stdout',
  Stderr: 'stderr',
});

function logQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const sinceSeconds = number(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime !== null)
    throw new RequestFailure(422, 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  const since = sinceTime === null ? undefined : Date.parse(sinceTime);
  if (Number.isNaN(since)) throw new RequestFailure(400, `invalid sinceTime "${sinceTime}"`);
  const stream = query.get('stream') || 'All';
  if (!Object.hasOwn(STREAMS, stream))
    throw new RequestFailure(
      422,
      `stream: Unsupported value: "${stream}": supported values: "All", "Stderr", "Stdout"`,
    );
  const tailLines = number(query, 'tailLines', 0);
  if (stream !== 'All' && tailLines !== undefined)
    throw new RequestFailure(
      422,
      '`tailLines` and specific `stream` are mutually exclusive for now',
    );
  return {
    tailLines,
    sinceMs: sinceSeconds === undefined ? since : nowMs - sinceSeconds * 1000,
    timestamps: isTrue(query.get('timestamps')),
    limitBytes: number(query, 'limitBytes', 1),
    stream: STREAMS[stream],
  };
}

function number(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) throw new RequestFailure(400, `invalid ${name} "${text}"`);
  if (value < least)
    throw new RequestFailure(422, `${name} must be greater than or equal to ${least}`);
  return value;
}
