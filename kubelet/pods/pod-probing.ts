// Which of a pod's containers are probed: those that run. Called in each pass of the pod's worker.
// Invariant: a container that does not run any more has no probe.
import type { PodStatus } from '../../api/generated/types.ts';
import type { EventNote } from '../../client/events/recorder.ts';
import type { ProbeKind } from '../probes/probe-door.ts';
import type { ProbeNote } from '../probes/prober.ts';
import { statusNamed } from './container-status.ts';
import { containersIn } from './pod-stops.ts';
import type { PodView } from './pod-view.ts';
import type { WorkerParts } from './worker-parts.ts';
import { containerPath } from './container-path.ts';

/** Begins and ends probes as the containers come and go. */
export function probeContainers(parts: WorkerParts, view: PodView): void {
  const { prober, events, figures } = parts;
  const { pod, state, sandbox, before } = view;
  for (const container of containersIn(pod)) {
    const [status] = state.containers.get(container.name) ?? [];
    if (status?.state !== 'running') {
      for (const each of state.containers.get(container.name) ?? []) prober.forget(each.id);
      continue;
    }
    const path = containerPath(pod, container.name);
    prober.watch({
      containerId: status.id,
      container,
      podIp: sandbox.podIp ?? '',
      startedAtMs: status.startedAtMs ?? status.createdAtMs,
      known: toldOf(before, container.name, status.id),
      onNote: (kind, note) => events.event(view.pod, { ...noteOf(titled(kind), note), ...path }),
      onChange: () => view.kick(),
      onFailure: (kind, said) => {
        const title = titled(kind);
        const message = `${title} probe failed: ${said}`;
        events.event(view.pod, { type: 'Warning', reason: 'Unhealthy', message, ...path });
      },
      onResult: (kind, ok) =>
        figures.probes.note(pod.metadata.uid ?? '', container.name, { kind, ok }),
    });
  }
}

const titled = (kind: ProbeKind) => `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;

function noteOf(title: string, { what, message: said }: ProbeNote): EventNote {
  const errored = what === 'errored';
  const how = errored ? 'errored and resulted in unknown state' : 'warning';
  const reason = errored ? 'Unhealthy' : 'ProbeWarning';
  return { type: 'Warning', reason, message: `${title} probe ${how}: ${said}` };
}

/** What the API was last told of this container; an agent that starts again must not call it unready meanwhile. */
function toldOf(
  before: PodStatus | undefined,
  name: string,
  id: string,
): { started: boolean; ready: boolean } | undefined {
  const told = statusNamed(before, name);
  if (!told?.containerID?.endsWith(id)) return undefined;
  return { started: told.started ?? false, ready: told.ready };
}
