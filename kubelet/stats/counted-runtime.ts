// A container runtime whose operations are counted, under the names that upstream gives them.
// Invariant: the runtime itself is untouched, and answers as it would.
import type { ContainerRuntime } from '../runtime/runtime.ts';
import type { AgentFigures } from './agent-figures.ts';

/** Upstream's name of each operation that is counted. */
const OPERATIONS = {
  runSandbox: 'run_podsandbox',
  stopSandbox: 'stop_podsandbox',
  removeSandbox: 'remove_podsandbox',
  updateSandboxResources: 'update_podsandbox_resources',
  listSandboxes: 'list_podsandbox',
  createContainer: 'create_container',
  startContainer: 'start_container',
  stopContainer: 'stop_container',
  removeContainer: 'remove_container',
  listContainers: 'list_containers',
  containerStatus: 'container_status',
  updateContainerResources: 'update_container',
  execSync: 'exec_sync',
  exec: 'exec',
  attach: 'attach',
  stats: 'list_container_stats',
  reopenLog: 'reopen_container_log',
} as const satisfies Partial<Record<keyof ContainerRuntime, string>>;

type Counted = keyof typeof OPERATIONS;

/** The same runtime, counted. */
export function countedRuntime(
  runtime: ContainerRuntime,
  figures: Pick<AgentFigures, 'operation'>,
): ContainerRuntime {
  return new Proxy(runtime, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      const method = value as (...args: unknown[]) => Promise<unknown>;
      if (!Object.hasOwn(OPERATIONS, property)) return method.bind(target);
      const type = OPERATIONS[property as Counted];
      return (...args: unknown[]) => figures.operation(type, () => method.apply(target, args));
    },
  });
}
