// NodeHost: what a node agent keeps and finds on its host, besides the runtime, the images and the pods' links.
// linux-host.ts keeps it in files, memory/ in this process; test/contracts/node-host.ts is their suite.
// Invariant: the agent touches no file, socket or kernel interface of a host but through here.
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import type { PodLogs } from '../logs/pod-logs.ts';
import type { HostFacts } from '../node/host-facts.ts';
import type { PodCheckpoints } from '../pods/pod-checkpoints.ts';
import type { ProbeDoor } from '../probes/probe-door.ts';
import type { PullNotes } from '../pulling/pull-access.ts';
import type { ManifestFiles } from '../static-pods/manifest-files.ts';
import type { VolumeFiles } from '../volumes/volume-files.ts';
import type { HostUsage } from './host-usage.ts';

/** The host's own files of names, which pods' files are made from. */
export interface NameFiles {
  readonly resolvConf: string;
  readonly hosts: string;
}

/** A host. */
export interface NodeHost {
  readonly checkpoints: PodCheckpoints;
  readonly volumes: VolumeFiles;
  readonly logs: PodLogs;
  readonly probes: ProbeDoor;
  /** Folder of the seccomp profiles that pods may name (`seccompProfile.localhostProfile`). */
  readonly seccompProfiles: string;
  readonly pullNotes: PullNotes;
  /** What extensions of the node have given to pods; kept as the notes on pulls are. */
  readonly grantNotes: PullNotes;
  readonly usage: HostUsage;
  readonly manifests: ManifestFiles;
  /** Makes the places that the rest needs, and tells what the host is. Called once, when the agent starts. */
  prepare(): HostFacts;
  /** As they are now; '' for one that is not there. */
  nameFiles(): NameFiles;
  /** Connects to a port on the loopback of a pod. Rejects with a message for people. */
  connect(pod: Pod, port: number): Promise<Duplex>;
}
