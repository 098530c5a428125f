// The host that this process runs on: the agent's own files in a folder, the kernel's by System.
// Invariant: nothing outside the folder is written but mounts below it.
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { System } from '../../system/system.ts';
import { DiskLogs } from '../logs/disk-logs.ts';
import { type HostFacts, readHostFacts } from '../node/host-facts.ts';
import type { PodNetwork } from '../pod-network.ts';
import { DiskCheckpoints } from '../pods/pod-checkpoints.ts';
import { networkProbes } from '../probes/probe-action.ts';
import { PullNotesFile } from '../pulling/pull-notes-file.ts';
import { connectToPod } from '../server/pod-connection.ts';
import { diskManifests } from '../static-pods/disk-manifests.ts';
import { DiskVolumes } from '../volumes/disk-volumes.ts';
import { LinuxUsage } from './linux-usage.ts';
import type { NameFiles, NodeHost } from './node-host.ts';

/** What it needs. */
export interface LinuxHostOptions {
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: PodNetwork;
  /** Pods' volumes and logs lie below it. */
  readonly dataDir: string;
}

/** The host; nothing is made before `prepare`. */
export function createLinuxHost(options: LinuxHostOptions): NodeHost {
  return new LinuxHost(options);
}

class LinuxHost implements NodeHost {
  readonly #options: LinuxHostOptions;
  readonly checkpoints: DiskCheckpoints;
  readonly volumes: DiskVolumes;
  readonly logs: DiskLogs;
  readonly probes = networkProbes;
  readonly usage: LinuxUsage;
  readonly manifests = diskManifests;
  readonly seccompProfiles: string;
  readonly pullNotes: PullNotesFile;
  readonly grantNotes: PullNotesFile;

  constructor(options: LinuxHostOptions) {
    const { system, clock, random, dataDir } = options;
    this.#options = options;
    this.checkpoints = new DiskCheckpoints(join(dataDir, 'checkpoints'));
    this.volumes = new DiskVolumes({ system, clock, random, root: join(dataDir, 'pods') });
    this.pullNotes = new PullNotesFile(join(dataDir, 'image-pulls.json'));
    this.grantNotes = new PullNotesFile(join(dataDir, 'extension-grants.json'));
    this.seccompProfiles = join(dataDir, 'seccomp');
    this.usage = new LinuxUsage({ system, dataDir, host: this });
    this.logs = new DiskLogs(join(dataDir, 'logs', 'pods'));
  }

  prepare(): HostFacts {
    const { system, dataDir } = this.#options;
    this.volumes.prepare();
    this.logs.prepare();
    const storage = statfsSync(dataDir);
    return readHostFacts(system, storage.blocks * storage.bsize);
  }

  nameFiles(): NameFiles {
    const { system } = this.#options;
    return {
      resolvConf: system.read('/etc/resolv.conf') ?? '',
      hosts: system.read('/etc/hosts') ?? '',
    };
  }

  connect(pod: Pod, port: number): Promise<Duplex> {
    return connectToPod(this.#options, pod, port);
  }
}
