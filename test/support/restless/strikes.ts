// Strikes of a storm: kill -9 of containers, of their conmons, of the node agent and the control plane, and cuts of the network between
// those two. Which, when and how long follows from a seed; what a strike meets is whoever is there then.
// Invariant: a container is struck again only when every other one has been struck as often, so that none has to wait long before it
// starts again, and only once it has said that it started, as starts are counted by what they said; a cut ends.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../base/random.ts';
import { isRunning, readSupervisor } from '../../../cli/serve/lock.ts';
import type { ContainerRecord, ProcessIdentity } from '../../../kubelet/runtime/oci/records.ts';
import { readRecord } from '../../../system/record-file.ts';
import type { TestCluster } from '../cluster.ts';
import { isSilent } from './fleet.ts';
import { runtimeLayout } from './host-pods.ts';
import { killHard, signal, type Victim } from './moments.ts';
import { type CutKind, cutNetwork } from './network-cut.ts';
import { pause } from './pause.ts';

/** What happens to whom. */
export type Strike = { readonly afterMs: number } & (
  | { readonly kind: 'container' | 'conmon'; readonly pick: number; readonly count: number }
  | { readonly kind: 'process'; readonly victims: readonly Victim[]; readonly lingerMs: number }
  | { readonly kind: 'cut'; readonly ms: number; readonly how: CutKind }
);

const MOST_PAUSE_MS = 900;
const MOST_CUT_MS = 4_000;
const MOST_LINGER_MS = 1_000;
const MOST_AT_ONCE = 4;
/** Between two kills of a process of the cluster: the supervisor takes its time with what keeps dying. */
const PROCESS_REST_MS = 6_000;

/** The next strike. */
export function nextStrike(random: Random): Strike {
  const share = random.next();
  const afterMs = random.next() * MOST_PAUSE_MS;
  const size = random.next();
  const pick = random.next();
  const count = 1 + Math.floor(size * size * MOST_AT_ONCE);
  if (share < 0.45) return { kind: 'container', afterMs, pick, count };
  if (share < 0.65) return { kind: 'conmon', afterMs, pick, count };
  if (share < 0.85) {
    const all: readonly (readonly Victim[])[] = [
      ['node'],
      ['node'],
      ['control-plane'],
      ['control-plane', 'node'],
    ];
    const victims = all[Math.floor(pick * all.length)] ?? ['node'];
    return { kind: 'process', afterMs, victims, lingerMs: size < 0.5 ? 0 : size * MOST_LINGER_MS };
  }
  return { kind: 'cut', afterMs, ms: size * MOST_CUT_MS, how: pick < 0.5 ? 'silent' : 'reset' };
}

/** Carries strikes out, and tells them. */
export class Storm {
  /** In words, in their order. */
  readonly told: string[] = [];
  readonly #cluster: TestCluster;
  readonly #marks: string;
  /** By pod and name, so that a container's successors count with it. */
  readonly #struck = new Map<string, number>();
  #processAt = -Infinity;

  /** `marks`: where the fleet's containers say that they started. */
  constructor(cluster: TestCluster, marks: string) {
    this.#cluster = cluster;
    this.#marks = marks;
  }

  /** Strikes without end for so long. */
  async rage(random: Random, ms: number): Promise<void> {
    const due = performance.now() + ms;
    while (performance.now() < due) await this.#strike(nextStrike(random));
  }

  async #strike(strike: Strike): Promise<void> {
    await pause(strike.afterMs);
    switch (strike.kind) {
      case 'container':
      case 'conmon':
        return this.#strikeContainers(strike.kind, strike);
      case 'process':
        return this.#strikeProcesses(strike.victims, strike.lingerMs);
      case 'cut':
        return this.#cut(strike.ms, strike.how);
    }
  }

  /** A container, its conmon too where the strike is for conmons, at once. */
  #strikeContainers(
    kind: 'container' | 'conmon',
    { pick, count }: { pick: number; count: number },
  ): void {
    for (let i = 0; i < count; i += 1) {
      const running = runningContainers(this.#cluster).filter(
        ({ podUid, config }) => !isSilent(this.#marks, podUid, config),
      );
      const times = (record: ContainerRecord) => this.#struck.get(keyOf(record)) ?? 0;
      const least = Math.min(...running.map(times));
      const spared = running.filter((record) => times(record) === least);
      const record = spared[Math.floor(pick * spared.length)];
      const victim = kind === 'conmon' ? record?.conmon : record?.init;
      if (!record || !victim) return;
      this.#struck.set(keyOf(record), least + 1);
      this.#tell(`${kind} of ${record.config.name} ${record.id.slice(0, 8)} of ${record.podUid}`);
      signal(victim.pid, 'SIGKILL');
    }
  }

  #strikeProcesses(victims: readonly Victim[], lingerMs: number): void {
    if (performance.now() - this.#processAt < PROCESS_REST_MS) return;
    const { paths, host } = this.#cluster;
    const { clusterRun } = runtimeLayout(this.#cluster);
    for (const name of victims) {
      const child = readSupervisor(paths)?.children[name];
      if (!child || !isRunning(host.system, child)) continue;
      this.#tell(`${name}, its programs ${lingerMs.toFixed(0)} ms later`);
      killHard(child.pid, name === 'node' ? lingerMs : 0, clusterRun);
      this.#processAt = performance.now();
    }
  }

  /** Nobody reaches the API server by its port; control plane and containers go on. */
  async #cut(ms: number, how: CutKind): Promise<void> {
    this.#tell(`${how} cut of ${ms.toFixed(0)} ms`);
    const mend = await cutNetwork(this.#cluster, how);
    await pause(ms);
    await mend();
  }

  #tell(what: string): void {
    this.told.push(`${new Date().toISOString().slice(11, 23)} ${what}`);
  }
}

/** Containers that run, by their records, and are what the records say. */
export function runningContainers(cluster: TestCluster): ContainerRecord[] {
  const { containers } = runtimeLayout(cluster);
  const { system } = cluster.host;
  const isIt = ({ pid, start }: ProcessIdentity) =>
    system.processStart(pid) === start && system.processState(pid) !== 'Z';
  return readdirSync(containers)
    .toSorted()
    .flatMap((id) => recordOf(join(containers, id, 'container.json')))
    .filter(({ phase, init, conmon }) => phase === 'running' && init && conmon)
    .filter(({ init, conmon }) => init && conmon && isIt(init) && isIt(conmon));
}

const keyOf = ({ podUid, config }: ContainerRecord): string => `${podUid}.${config.name}`;

function recordOf(file: string): ContainerRecord[] {
  try {
    return [(readRecord(file) ?? {}) as ContainerRecord];
  } catch {
    // It was removed meanwhile.
    return [];
  }
}
