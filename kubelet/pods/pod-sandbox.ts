// A pod's sandbox and its address: made once, found again after the agent's death.
// Invariant: the address is known whenever the sandbox is ready.
import type { Pod } from '../../api/generated/types.ts';
import type { SandboxConfig, SandboxStatus } from '../runtime/runtime.ts';
import type { PodAttachment } from '../pod-network.ts';
import { sandboxConfigOf } from './sandbox-config.ts';
import type { WorkerParts } from './worker-parts.ts';

/** The sandbox of one pod. */
export class PodSandbox {
  readonly #parts: WorkerParts;
  readonly #uid: string;
  #podIp: string | undefined;
  #attachment: PodAttachment | undefined;
  #made: { id: string; config: SandboxConfig } | undefined;

  constructor(parts: WorkerParts, podUid: string) {
    this.#parts = parts;
    this.#uid = podUid;
  }

  /** The pod's address; undefined before it has one. */
  get podIp(): string | undefined {
    return this.#podIp;
  }

  /** Learns the address of a sandbox that is there already. */
  async recover(pod: Pod, sandbox: SandboxStatus | undefined): Promise<void> {
    if (this.#podIp === undefined && sandbox?.state === 'ready') await this.#attach(pod);
  }

  /** Makes the sandbox. */
  async create(pod: Pod, attempt: number): Promise<void> {
    await this.#attach(pod);
    const config = this.#configOf(pod, attempt);
    this.#made = { id: await this.#parts.options.runtime.runSandbox(config), config };
  }

  /** What the sandbox of now was made from. */
  config(pod: Pod, sandbox: SandboxStatus): SandboxConfig {
    return this.#made?.id === sandbox.id ? this.#made.config : this.#configOf(pod, sandbox.attempt);
  }

  async #attach(pod: Pod): Promise<void> {
    const { network, nodeIp } = this.#parts.options;
    const { hostNetwork, hostUsers } = pod.spec ?? {};
    const needs = { ownUsers: hostUsers === false };
    this.#attachment = hostNetwork ? undefined : await network.setUp(this.#uid, needs);
    this.#podIp = this.#attachment?.ip ?? nodeIp;
  }

  #configOf(pod: Pod, attempt: number): SandboxConfig {
    const { host, nodeName, clusterDns, clusterDomain } = this.#parts.options;
    const { resolvConf, hosts } = host.nameFiles();
    return sandboxConfigOf(pod, {
      attempt,
      netnsPath: this.#attachment?.netnsPath,
      users: this.#attachment?.users,
      podIp: this.#podIp ?? '',
      nodeName,
      clusterDns,
      clusterDomain,
      hostResolvConf: resolvConf,
      hostHosts: hosts,
      pidsLimit: this.#parts.node.podPidsLimit,
    });
  }
}
