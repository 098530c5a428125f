// The postStart hook of a container that has just started. As upstream's kubelet does it: the pod's further containers wait for it,
// one that fails costs its container its life, and one that the agent's death cuts off is not run again.
// Invariant: resolves only once the hook is through, or when nobody wants to know any more.
import type { Container, Pod } from '../../api/generated/types.ts';
import { MAX_HOOK_MS, runHook } from './lifecycle-hook.ts';
import { StartFailure } from './start-failure.ts';
import type { WorkerParts } from './worker-parts.ts';

/** The container, and where it is reached. */
export interface Started {
  readonly pod: Pod;
  readonly container: Container;
  readonly id: string;
  readonly podIp: string;
  /** Aborted when the pod leaves: its containers are ended in their order then. */
  readonly signal: AbortSignal;
}

/** Runs the hook, if there is one. Throws StartFailure, which names the container to be ended, where it fails. */
export async function postStart(parts: WorkerParts, started: Started): Promise<void> {
  const { container, pod, id, podIp, signal } = started;
  const hook = container.lifecycle?.postStart;
  if (!hook) return;
  const { runtime, clock, host, logger } = parts.options;
  const target = { runtime, clock, probes: host.probes, container, containerId: id, podIp };
  try {
    await runHook(hook, target, { timeoutMs: MAX_HOOK_MS, signal });
  } catch (error) {
    // An agent that ends leaves its containers alone.
    if (parts.ending.aborted || signal.aborted) return;
    logger.warn('a postStart hook failed', { container: container.name, id, err: error });
    const { name, namespace, uid } = pod.metadata;
    const of = `Container "${container.name}" in Pod "${name}_${namespace}(${uid})"`;
    const kind = hook.exec ? `Exec lifecycle hook (${shown(hook.exec.command)})` : 'Lifecycle hook';
    const message = `${kind} for ${of} failed - error: ${(error as Error).message}`;
    // Events do not say why, as what was answered may hold secrets.
    const note = {
      type: 'Warning',
      reason: 'FailedPostStartHook',
      message: 'PostStartHook failed',
    } as const;
    const how = { retry: 'soon', notes: [note], cause: error, ends: id } as const;
    throw new StartFailure('PostStartHookError', message, how);
  }
}

const shown = (command: readonly string[] = []) => `[${command.join(' ')}]`;
