// A host without files, sockets or a kernel: what the agent keeps lies in this process. For nodes whose containers are played.
// Invariant: outlives the agents that use it, as a disk does; nothing in it waits but for a clock that it is given.
import type { Duplex } from 'node:stream';
import type { Pod } from '../../../api/generated/types.ts';
import type { HostFacts } from '../../node/host-facts.ts';
import type { PodCheckpoints } from '../../pods/pod-checkpoints.ts';
import type { ProbeDoor } from '../../probes/probe-door.ts';
import { notesInMemory } from '../../pulling/pull-access.ts';
import type { NameFiles, NodeHost } from '../node-host.ts';
import { MemoryLogs } from './memory-logs.ts';
import { MemoryManifests } from './memory-manifests.ts';
import { MemoryUsage } from './memory-usage.ts';
import { MemoryVolumes } from './memory-volumes.ts';

/** What it is to be like. */
export interface MemoryHostOptions {
  readonly facts: HostFacts;
  readonly probes: ProbeDoor;
}

/** The host. */
export class MemoryHost implements NodeHost {
  readonly checkpoints: PodCheckpoints = new MemoryCheckpoints();
  readonly volumes = new MemoryVolumes();
  readonly logs = new MemoryLogs();
  readonly seccompProfiles = '/seccomp';
  readonly pullNotes = notesInMemory();
  readonly grantNotes = notesInMemory();
  readonly manifests = new MemoryManifests();
  /** What is in use is played. */
  readonly usage: MemoryUsage;
  readonly probes: ProbeDoor;
  readonly #facts: HostFacts;

  constructor({ facts, probes }: MemoryHostOptions) {
    this.#facts = facts;
    this.usage = new MemoryUsage(facts);
    this.probes = probes;
  }

  prepare(): HostFacts {
    return this.#facts;
  }

  nameFiles(): NameFiles {
    return { resolvConf: '', hosts: '' };
  }

  connect(pod: Pod, port: number): Promise<Duplex> {
    const { namespace, name } = pod.metadata;
    const why = `nothing listens on port ${port} of ${namespace}/${name}: its containers are played`;
    return Promise.reject(new Error(why));
  }
}

class MemoryCheckpoints implements PodCheckpoints {
  readonly #pods = new Map<string, Pod>();

  save(pod: Pod): void {
    if (pod.metadata.uid) this.#pods.set(pod.metadata.uid, pod);
  }

  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }

  load(): Pod[] {
    return [...this.#pods.values()];
  }

  tidy(known: (podUid: string) => boolean): void {
    for (const uid of this.#pods.keys()) if (!known(uid)) this.#pods.delete(uid);
  }
}
