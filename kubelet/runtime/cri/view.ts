// What the runtime has of this agent's pods, kept beside it: lists are answered from here, and changes are told as events.
// Invariants: what a verb of this agent brought about is here before the verb has returned; a list that was asked for before that
// does not undo it; a container never goes back to an earlier state; only what carries the owner's label is seen.
import type { Clock } from '../../../base/clock.ts';
import {
  type ContainerStatus,
  RuntimeError,
  type RuntimeEvent,
  type SandboxStatus,
} from '../runtime.ts';
import { GrpcError, type GrpcConnection } from './grpc.ts';
import type { PodFiles } from './pod-files.ts';
import { OWNER_LABEL } from './sandbox-message.ts';
import { RUNTIME } from './services.ts';
import { containerStatusOf, detailsOf, sandboxStatusOf, stateOf } from './statuses.ts';
import { type ContainerNotes, notesOf } from './container-message.ts';

/** A container, and what the agent needs to know of it besides. */
export interface KnownContainer {
  readonly status: ContainerStatus;
  readonly notes: ContainerNotes;
}

/** What it is made with. */
export interface ViewDoors {
  readonly connection: () => GrpcConnection;
  readonly files: PodFiles;
  readonly owner: string;
  readonly clock: Clock;
  readonly emit: (event: RuntimeEvent) => void;
}

const ORDER = { created: 0, unknown: 1, running: 1, exited: 2 } as const;

/** The view. */
export class RuntimeView {
  readonly sandboxes = new Map<string, SandboxStatus>();
  readonly containers = new Map<string, KnownContainer>();
  readonly #doors: ViewDoors;
  /** Counts changes by this agent's verbs, and has the number of the last one by id. */
  #changes = 0;
  /** Until the first list is whole: what it shows as ended has ended before this agent looked. */
  #looksBack = true;
  readonly #changed = new Map<string, number>();
  /** Asked after each change of a container. */
  readonly #waiting = new Set<() => void>();

  constructor(doors: ViewDoors) {
    this.#doors = doors;
  }

  /** A container. Throws RuntimeError where there is none. */
  known(id: string): KnownContainer {
    const known = this.containers.get(id);
    if (!known) throw new RuntimeError('NotFound', `there is no container ${id}`);
    return known;
  }

  /** A container that runs. Throws RuntimeError where it does not. */
  running(id: string): KnownContainer {
    const known = this.known(id);
    if (known.status.state !== 'running')
      throw new RuntimeError('NotRunning', `container ${id} is not running`);
    return known;
  }

  /** Containers of a sandbox. */
  containersOf(sandboxId: string): readonly ContainerStatus[] {
    return [...this.containers.values()]
      .map(({ status }) => status)
      .filter((status) => status.sandboxId === sandboxId);
  }

  /** A sandbox that this agent made, or changed. */
  putSandbox(sandbox: SandboxStatus): void {
    this.#touch(sandbox.id);
    this.sandboxes.set(sandbox.id, sandbox);
  }

  /** It was removed. */
  drop(id: string): void {
    this.#touch(id);
    this.sandboxes.delete(id);
    this.containers.delete(id);
    this.#waiting.forEach((look) => look());
  }

  /** Asks for the container's status as it is now. */
  async refresh(id: string, sandboxId: string): Promise<ContainerStatus | undefined> {
    this.#touch(id);
    return this.#look(id, sandboxId);
  }

  /** The container's status once it has ended, or as it is after `ms`. */
  async ended(id: string, ms: number): Promise<ContainerStatus | undefined> {
    const status = () => this.containers.get(id)?.status;
    const over = () => (status()?.state ?? 'exited') === 'exited';
    if (over()) return status();
    await new Promise<void>((resolve) => {
      const timer = this.#doors.clock.timer(ms, () => done());
      const look = () => over() && done();
      const done = () => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
    return status();
  }

  /** Lists everything and looks closer at what is another than it was. Throws GrpcError. */
  async relist(): Promise<void> {
    const { connection, owner } = this.#doors;
    const begun = this.#changes;
    const labels = { [OWNER_LABEL]: owner };
    const [sandboxes, containers] = await Promise.all([
      connection().call(RUNTIME.listPodSandbox, { filter: { labels } }),
      connection().call(RUNTIME.listContainers, { filter: { labels } }),
    ]);
    const untouched = (id: string) => (this.#changed.get(id) ?? 0) <= begun;
    const listed = sandboxes.items.map(sandboxStatusOf);
    for (const sandbox of listed)
      if (untouched(sandbox.id)) this.sandboxes.set(sandbox.id, sandbox);
    forgetMissing(this.sandboxes, listed, untouched);
    this.#tellRemoved(containers.containers, untouched);
    const changed = containers.containers.filter(
      ({ id = '', state }) =>
        untouched(id) && this.containers.get(id)?.status.state !== stateOf(state),
    );
    await Promise.all(changed.map(({ id = '', sandboxId = '' }) => this.#look(id, sandboxId)));
    this.#looksBack = false;
    this.#forgetChanges();
  }

  #touch(id: string): void {
    this.#changes += 1;
    this.#changed.set(id, this.#changes);
  }

  /** Only what is there may be listed in another state than it has. */
  #forgetChanges(): void {
    for (const id of this.#changed.keys())
      if (!this.sandboxes.has(id) && !this.containers.has(id)) this.#changed.delete(id);
  }

  /** Containers that somebody else removed: their pods look again. */
  #tellRemoved(listed: readonly { id?: string }[], untouched: (id: string) => boolean): void {
    const before = new Map(this.containers);
    forgetMissing(this.containers, listed, untouched);
    for (const [containerId, { status }] of before)
      if (!this.containers.has(containerId) && status.state === 'running')
        this.#doors.emit({ kind: 'exited', containerId, podUid: status.podUid });
  }

  async #look(id: string, sandboxId: string): Promise<ContainerStatus | undefined> {
    const before = this.containers.get(id)?.status;
    // All is asked for until the process is known: the runtime tells it once the container runs.
    const verbose = before?.pid === undefined;
    const answer = await this.#ask(id, verbose);
    if (!answer) return undefined;
    const { status, info } = answer;
    const details = { ...before, ...(verbose && detailsOf(info)) };
    const now = containerStatusOf(status, { sandboxId, details });
    return this.#put(this.#withEnd(now), notesOf(status.annotations ?? {}));
  }

  async #ask(id: string, verbose: boolean) {
    try {
      const verb = RUNTIME.containerStatus;
      const { status, info } = await this.#doors.connection().call(verb, { id, verbose });
      return status && { status, info };
    } catch (error) {
      if (!(error instanceof GrpcError) || error.code !== 'NOT_FOUND') throw error;
      this.drop(id);
      return undefined;
    }
  }

  /** Its last words count more than what the runtime says of its end, and whether an agent saw it the runtime cannot say. */
  #withEnd(status: ContainerStatus): ContainerStatus {
    if (status.state !== 'exited') return status;
    const { files } = this.#doors;
    const message = files.terminationMessage(status);
    const endUnseen = this.#looksBack && !files.isEndNoted(status);
    if (!endUnseen) files.noteEnd(status);
    return {
      ...status,
      ...(message !== '' && { message }),
      ...(endUnseen && { endUnseen }),
    };
  }

  #put(status: ContainerStatus, notes: ContainerNotes): ContainerStatus {
    const before = this.containers.get(status.id)?.status;
    if (before && ORDER[before.state] > ORDER[status.state]) return before;
    this.containers.set(status.id, { status, notes });
    this.#waiting.forEach((look) => look());
    const event = { containerId: status.id, podUid: status.podUid };
    // The runtime may learn of this after the end.
    if (status.reason === 'OOMKilled' && before?.reason !== 'OOMKilled')
      this.#doors.emit({ kind: 'oom', ...event });
    if (before?.state === status.state) return status;
    if (status.state === 'running') this.#doors.emit({ kind: 'started', ...event });
    if (status.state === 'exited') this.#doors.emit({ kind: 'exited', ...event });
    return status;
  }
}

function forgetMissing<T>(
  known: Map<string, T>,
  listed: readonly { id?: string }[],
  untouched: (id: string) => boolean,
): void {
  const ids = new Set(listed.map(({ id }) => id));
  for (const id of known.keys()) if (!ids.has(id) && untouched(id)) known.delete(id);
}
