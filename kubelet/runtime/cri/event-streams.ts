// What a runtime tells by itself of containers: over CRI, or by containerd's own events where it does not (before 2.0).
// Invariant: it is only told that something happened and to which container; what became of it is asked for.
import { GrpcError, type GrpcConnection } from './grpc.ts';
import { TASK_EVENTS } from './messages.ts';
import { CONTAINERD_EVENTS, RUNTIME } from './services.ts';

/** Something happened to a container or a sandbox. */
export interface RuntimeNews {
  readonly id: string;
  /** It has ended, though the runtime's CRI side may not know it yet. */
  readonly ended: boolean;
}

/** Where containerd keeps what CRI made. */
const CRI_NAMESPACE = 'k8s.io';
const EXIT = '/tasks/exit';
const TOPICS = ['/tasks/start', EXIT, '/tasks/oom'];
const STOPPED = 2;

/** The news as they come; undefined where the runtime tells none. Throws GrpcError when the stream breaks off. */
export async function* runtimeNews(
  connection: GrpcConnection,
  signal: AbortSignal,
): AsyncGenerator<RuntimeNews, 'none' | 'over'> {
  for (const stream of [criNews, containerdNews])
    try {
      yield* stream(connection, signal);
      return 'over';
    } catch (error) {
      if (!(error instanceof GrpcError) || error.code !== 'UNIMPLEMENTED') throw error;
    }
  return 'none';
}

async function* criNews(
  connection: GrpcConnection,
  signal: AbortSignal,
): AsyncGenerator<RuntimeNews> {
  for await (const event of connection.stream(RUNTIME.getContainerEvents, {}, signal))
    yield { id: event.containerId, ended: event.type === STOPPED };
}

async function* containerdNews(
  connection: GrpcConnection,
  signal: AbortSignal,
): AsyncGenerator<RuntimeNews> {
  const filters = TOPICS.map((topic) => `namespace=="${CRI_NAMESPACE}",topic=="${topic}"`);
  for await (const { topic, event } of connection.stream(CONTAINERD_EVENTS, { filters }, signal)) {
    const value = event?.value ?? new Uint8Array();
    const { containerId } = TASK_EVENTS.any.decode(value);
    const ended = topic === EXIT;
    // Of commands in the container nobody needs to hear.
    if (!ended || TASK_EVENTS.exit.decode(value).id === containerId)
      yield { id: containerId, ended };
  }
}
