// One pod's worker: looks at what there is, does what the plan says, tells the API. The only one that touches the pod's containers.
// Invariants: one pass at a time, and another one after whatever happened meanwhile; a pod that is leaving never starts anything;
// once a pod is over nothing of it is left on the node, and only then it is deleted from the API.
import type { Pod, PodSpec, PodStatus } from '../../api/generated/types.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Timer } from '../../base/clock.ts';
import { msOf } from '../configuration.ts';
import { sourcesOf } from '../volumes/source-refs.ts';
import { containerHash } from './container-hash.ts';
import { containerPath } from './container-path.ts';
import { backoffUntil, pastOf } from './crash-backoff.ts';
import { type Act, isFinished, type Plan, planPod, type PodState } from './plan.ts';
import { probeContainers } from './pod-probing.ts';
import { releasePod, removePod } from './pod-removal.ts';
import { PodResizer } from './pod-resizer.ts';
import { PodSandbox } from './pod-sandbox.ts';
import { PodStarts } from './pod-starts.ts';
import { containersOf, podStateOf } from './pod-state.ts';
import { podStatusOf, type Verdict } from './pod-status.ts';
import { containersIn, PodStops } from './pod-stops.ts';
import type { PodView } from './pod-view.ts';
import { withLastWords } from './termination-message.ts';
import type { WorkerParts } from './worker-parts.ts';

/** A pass that failed for no reason of the pod's own is tried again after this. */
const RETRY_MS = 1_000;

/** Life of one pod on this node. */
export class PodWorker implements PodView {
  readonly #parts: WorkerParts;
  readonly #uid: string;
  readonly #stops: PodStops;
  /** Where it runs, and its address. */
  readonly sandbox: PodSandbox;
  readonly resizer: PodResizer;
  readonly #starts: PodStarts;
  readonly #leaving = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  /** Ends that were told, by container name. */
  readonly #told = new Map<string, string>();
  readonly #logged = new Map<string, number>();
  #pod: Pod;
  #inApi = true;
  #state: PodState = { sandbox: undefined, oldSandboxes: [], containers: new Map() };
  #verdict: Verdict | undefined;
  #admitted = false;
  #released = false;
  #over = false;
  #dirty = false;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;

  constructor(parts: WorkerParts, pod: Pod) {
    this.#parts = parts;
    this.resizer = new PodResizer(parts);
    this.#pod = this.resizer.held(pod);
    this.#uid = pod.metadata.uid ?? '';
    this.#stops = new PodStops(parts, this);
    this.#starts = new PodStarts(parts, this, {
      stops: this.#stops,
      leaving: this.#leaving.signal,
    });
    this.sandbox = new PodSandbox(parts, this.#uid);
    this.#useSources();
  }

  /** The pod as this node last heard of it. */
  get pod(): Pod {
    return this.#pod;
  }

  /** What the runtime had of it at the last look. */
  get state(): PodState {
    return this.#state;
  }

  /** This agent's last word on the pod, or that of its predecessor. */
  get before(): PodStatus | undefined {
    return this.#parts.statuses.of(this.#uid) ?? this.#pod.status;
  }

  /** Has it come to an end, of its own or by a verdict? Something of it may still be stopping. */
  get isOver(): boolean {
    return this.#isOver();
  }

  /** Does it take room on the node? */
  get takesRoom(): boolean {
    // Once its end is told, or it was deleted by force, the scheduler gives its room to others: they may come before it is taken down.
    if (!this.#inApi) return false;
    const phase = this.#parts.statuses.of(this.#uid)?.phase;
    return this.#admitted && !this.#released && phase !== 'Succeeded' && phase !== 'Failed';
  }

  /** The pod has changed in the API. */
  update(pod: Pod): void {
    this.#pod = this.resizer.held(pod);
    this.#inApi = true;
    if (pod.metadata.deletionTimestamp) this.#leave();
    else this.#useSources();
    this.kick();
  }

  /** The pod is not in the API any more. */
  remove(): void {
    this.#inApi = false;
    this.#parts.statuses.forget(this.#uid);
    this.#leave();
    this.kick();
  }

  /**
   * Ends the pod for a reason that is not its own (eviction, a node that shuts down): its containers are stopped, within `graceMs`
   * where that is shorter than what the pod gives them, and then it is Failed with the verdict. Repeatable: the first verdict
   * stands, the shortest grace holds; a pod that is over already stays as it is. Resolves once nothing of it runs and what it held
   * is given back; rejects never, and resolves early when the agent ends.
   */
  end(verdict: Verdict, graceMs?: number): Promise<void> {
    if (graceMs !== undefined) this.#stops.hurry(graceMs);
    if (!this.#isOver()) this.#verdict = verdict;
    this.#leave('the pod is being ended');
    this.kick();
    return this.#ended.promise;
  }

  /** Something may have happened: look again. */
  kick(): void {
    this.#dirty = true;
    if (this.#over || this.#parts.ending.aborted) return;
    this.#running ??= this.#loop();
  }

  /** Resolves when no pass is under way. Containers that were told to stop do so without the agent. */
  async idle(): Promise<void> {
    this.#timer?.cancel();
    this.#leaving.abort(new Error('the node agent ends'));
    await this.#running;
    this.#ended.resolve();
  }

  #leave(why = 'the pod is being deleted'): void {
    this.#leaving.abort(new Error(why));
  }

  /** Never rejects. */
  async #loop(): Promise<void> {
    // The caller's turn ends first, so that what belongs together is seen together.
    await Promise.resolve();
    while (this.#dirty && !this.#over && !this.#parts.ending.aborted) {
      this.#dirty = false;
      this.#timer?.cancel();
      try {
        await this.#pass();
      } catch (error) {
        const fields = { pod: keyOf(this.#pod), err: error };
        this.#parts.options.logger.error('a pod could not be brought up to date', fields);
        this.#lookAgainIn(RETRY_MS);
      }
    }
    this.#running = undefined;
    if (this.#dirty) this.kick();
  }

  async #pass(): Promise<void> {
    await this.#observe();
    if (this.#isDeleted()) return this.#end();
    if (!this.#admitted && !this.#isOver()) await this.#admit();
    // It left while others were to make room for it.
    if (!this.#admitted && !this.#isOver()) return;
    this.#checkDeadline();
    if (this.#isOver()) return this.#finish();
    await this.#resize();
    const volumes = await this.#starts.volumes();
    probeContainers(this.#parts, this);
    const plan = this.#plan();
    this.#tell();
    if (await this.#doAll(plan.acts, volumes)) this.kick();
    this.#arm(plan.lookAgainAt);
  }

  /** What the plan waits for may be due by now; of the holds only those still to come count. */
  #arm(lookAgainAt: number | undefined): void {
    const now = this.#now();
    const next = Math.min(
      lookAgainAt ?? Infinity,
      this.#deadline(),
      this.#parts.volumes.dueAt(this.#uid),
      this.#starts.dueAfter(now),
    );
    if (next < Infinity) this.#lookAgainIn(next - now);
  }

  #plan(): Plan {
    return planPod(this.#pod, this.#state, {
      nowMs: this.#now(),
      probes: this.#parts.prober,
      before: this.before,
      hashOf: containerHash,
      stopping: (id) => this.#stops.has(id),
      loggedAttempts: (name) => this.#loggedAttempts(name),
      heldUntil: (name) => this.#starts.holds.until(name),
      maxRestartMs: this.#maxRestartMs,
    });
  }

  /** Looked up once, before the first start: one that fails has left a log too, and is no restart. */
  #loggedAttempts(name: string): number {
    const known = this.#logged.get(name);
    if (known !== undefined) return known;
    const attempts = this.#parts.options.host.logs.attempts(this.#pod, name);
    this.#logged.set(name, attempts);
    return attempts;
  }

  /** True when the state is another one now. Without its volumes nothing begins; what runs already is looked after. */
  async #doAll(
    acts: readonly Act[],
    volumes: ReadonlyMap<string, string> | undefined,
  ): Promise<boolean> {
    let acted = false;
    for (const act of acts) {
      if (this.#leaving.signal.aborted) break;
      if (!volumes && (act.kind === 'createSandbox' || act.kind === 'start')) continue;
      acted = (await this.#do(act, volumes ?? new Map())) || acted;
    }
    return acted;
  }

  #isDeleted(): boolean {
    return !this.#inApi || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  /** Has it come to an end of its own, or by a verdict? */
  #isOver(): boolean {
    const phase = this.before?.phase;
    if (this.#verdict || phase === 'Succeeded' || phase === 'Failed') return true;
    return isFinished(this.#pod.spec as PodSpec, this.#state);
  }

  async #observe(): Promise<void> {
    const { runtime, host } = this.#parts.options;
    const [sandboxes, containers] = await Promise.all([
      runtime.listSandboxes(this.#uid),
      runtime.listContainers(this.#uid),
    ]);
    const seen = podStateOf(this.#uid, sandboxes, containers);
    this.#state = await withLastWords(seen, host.logs);
    for (const name of this.#starts.holds.problems.keys()) {
      const [latest] = this.#state.containers.get(name) ?? [];
      if (latest?.state === 'running' && !this.#stops.has(latest.id))
        this.#starts.holds.clear(name);
    }
    this.#tellCrashes();
    await this.sandbox.recover(this.#pod, this.#state.sandbox);
  }

  /** What the node has of the pod already was admitted by this agent's predecessor. */
  async #admit(): Promise<void> {
    const pod = this.#pod;
    const known = this.#state.sandbox !== undefined || pod.status?.startTime !== undefined;
    const leaving = this.#leaving.signal;
    const without = known ? undefined : await this.#parts.makeRoom(pod, leaving);
    if (leaving.aborted) return;
    const refusal = known ? undefined : (without ?? this.#parts.admit(pod));
    if (!refusal) this.#admitted = true;
    if (!refusal || this.#verdict) return;
    const { reason, message } = refusal;
    this.#verdict = { reason, message: `Pod was rejected: ${message}` };
    this.#event('Warning', reason, message);
  }

  #deadline(): number {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    const start = Date.parse(this.before?.startTime ?? '');
    return seconds === undefined || Number.isNaN(start) ? Infinity : start + seconds * 1000;
  }

  #checkDeadline(): void {
    if (this.#isOver() || this.#now() < this.#deadline()) return;
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#verdict = { reason: 'DeadlineExceeded', message };
    this.#event('Normal', 'DeadlineExceeded', message);
  }

  /** Gives the pod what it asks for now, as far as the node has it. */
  async #resize(): Promise<void> {
    const { pod, restart } = await this.resizer.resize(this.#state);
    this.#pod = pod;
    for (const status of restart)
      this.#stops.stop(status, {
        graceMs: undefined,
        why: `Container ${status.name} resize requires restart`,
      });
  }

  /** True when something was done after which the state is another one. */
  async #do(act: Act, volumes: ReadonlyMap<string, string>): Promise<boolean> {
    const { runtime } = this.#parts.options;
    switch (act.kind) {
      case 'createSandbox':
        return this.#starts.createSandbox(act.attempt);
      case 'removeSandbox':
        await runtime.removeSandbox(act.id);
        return true;
      case 'start':
        return this.#starts.start(act, volumes);
      case 'kill': {
        const status = containersOf(this.#state).find((each) => each.id === act.id);
        if (status) this.#stops.stop(status, act);
        return false;
      }
      case 'forget':
        this.#parts.prober.forget(act.id);
        await runtime.removeContainer(act.id);
        return false;
    }
  }

  /** It has come to its end and stays for its logs and status: what it held is given back. */
  async #finish(): Promise<void> {
    const live = this.#stops.stopAll();
    this.#tell();
    if (live || this.#released) return;
    await releasePod(this.#parts, this.#pod, this.#state);
    this.#released = true;
    this.#ended.resolve();
    this.#parts.roomFreed();
    this.kick();
  }

  /** It is deleted: all its containers are stopped, then everything is removed, then the API is told. */
  async #end(): Promise<void> {
    // An agent that starts meanwhile calls ready what was ready, as long as it runs.
    probeContainers(this.#parts, this);
    const live = this.#stops.stopAll();
    if (this.#inApi) this.#tell();
    if (live) return;
    for (const { id } of containersOf(this.#state)) this.#parts.prober.forget(id);
    await releasePod(this.#parts, this.#pod, this.#state);
    this.#released = true;
    this.#ended.resolve();
    if (this.#inApi) await this.#parts.statuses.flush(this.#uid);
    await removePod(this.#parts, this.#pod, { state: this.#state, inApi: () => this.#inApi });
    this.#over = true;
    this.#timer?.cancel();
    this.#parts.gone(this.#uid);
  }

  #tell(): void {
    const status = podStatusOf(this.#pod, {
      state: this.#state,
      probes: this.#parts.prober,
      problems: this.#starts.holds.problems,
      ending: this.#isDeleted() || this.#isOver(),
      nowMs: this.#now(),
      maxRestartMs: this.#maxRestartMs,
      verdict: this.#verdict,
      resize: this.resizer.conditions,
      runtimeName: this.#parts.options.runtime.info.name,
      podIp: this.sandbox.podIp,
      hostIp: this.#parts.options.nodeIp,
      before: this.before,
    });
    this.#parts.statuses.set(this.#pod, status);
  }

  /** Says once for each end that its container waits before it runs again. */
  #tellCrashes(): void {
    for (const container of containersIn(this.#pod)) {
      const statuses = this.#state.containers.get(container.name) ?? [];
      const [latest] = statuses;
      if (latest?.state !== 'exited' || this.#told.get(container.name) === latest.id) continue;
      this.#told.set(container.name, latest.id);
      this.#parts.prober.forget(latest.id);
      const past = pastOf(this.#pod, container, {
        state: this.#state,
        maxMs: this.#maxRestartMs,
      });
      if (backoffUntil(past, containerHash(container)) <= this.#now()) continue;
      // What kept it from starting before says less than that it keeps ending.
      this.#starts.holds.clear(container.name);
      const { namespace, name, uid } = this.#pod.metadata;
      const what = `failed container ${container.name} in pod ${name}_${namespace}(${uid})`;
      const message = `Back-off restarting ${what}`;
      const path = containerPath(this.#pod, container.name);
      this.#parts.events.event(this.#pod, { type: 'Warning', reason: 'BackOff', message, ...path });
    }
  }

  get #maxRestartMs(): number | undefined {
    const { maxContainerRestartPeriod } = this.#parts.configuration.crashLoopBackOff;
    return maxContainerRestartPeriod === undefined ? undefined : msOf(maxContainerRestartPeriod);
  }

  #useSources(): void {
    this.#parts.sources.use(this.#uid, sourcesOf(this.#pod), () => {
      this.#starts.holds.release();
      this.kick();
    });
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#parts.events.event(this.#pod, { type, reason, message });
  }

  #now(): number {
    return this.#parts.options.clock.now();
  }

  #lookAgainIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.options.clock.timer(Math.max(0, ms), () => this.kick());
  }
}
