// What the parts of one pod's worker see of it. The worker gives it; nobody else changes it.
// Invariant: each field is read when it is needed, as pod and state are replaced with every pass.
import type { Pod, PodStatus } from '../../api/generated/types.ts';
import type { PodState } from './plan.ts';
import type { PodSandbox } from './pod-sandbox.ts';

/** One pod as its worker has it now. */
export interface PodView {
  readonly pod: Pod;
  /** What the runtime had of it at the last look. */
  readonly state: PodState;
  readonly sandbox: PodSandbox;
  /** This agent's last word on the pod, or that of its predecessor. */
  readonly before: PodStatus | undefined;
  /** Something may have happened: look again. */
  kick(): void;
}
