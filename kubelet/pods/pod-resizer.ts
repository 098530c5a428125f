// Resizes a running pod in place (KEP-1287, and KEP-5419 for the pod as a whole): what it has for now, what it asks for, and the step between.
// Invariants: a pod acts on what it was granted, not on what it asks for; nothing grows beyond what the node has free; the
// pod's own limits are never below its containers' while they change. What was granted is found again in the status.
import type { Container, Pod, PodCondition, PodSpec } from '../../api/generated/types.ts';
import { sameMeaning } from '../../api/meta/deep-equal.ts';
import { podRequests } from '../../api/meta/pod-resources.ts';
import { toMilli, toWhole } from '../../api/meta/quantity.ts';
import type { ContainerStatus, LinuxResources } from '../runtime/runtime.ts';
import { containerResources, sandboxResources } from './container-config.ts';
import { statusNamed } from './container-status.ts';
import type { PodState } from './plan.ts';
import type { WorkerParts } from './worker-parts.ts';

type Resources = Pick<NonNullable<Container['resources']>, 'limits' | 'requests'>;

/** What came of a look at a pod's sizes. */
export interface Resized {
  /** The pod with what its containers have now. */
  readonly pod: Pod;
  /** Containers that get their new size by a restart. */
  readonly restart: readonly ContainerStatus[];
}

/** A resize that is not through. */
interface Unfinished {
  readonly type: 'PodResizePending' | 'PodResizeInProgress';
  readonly reason: 'Deferred' | 'Error' | 'Infeasible';
  readonly message: string;
}

const NOTES = { Deferred: 'ResizeDeferred', Error: 'ResizeError', Infeasible: 'ResizeInfeasible' };
const SIDES = ['limits', 'requests'] as const;
const NAMES = ['cpu', 'memory'] as const;

/** The sizes of one pod's containers. */
export class PodResizer {
  readonly #parts: WorkerParts;
  #asked: Pod | undefined;
  /** By container name; undefined until the pod was seen. */
  #granted: ReadonlyMap<string, Resources> | undefined;
  /** Of the pod as a whole, where it states so. */
  #whole: Resources | undefined;
  #unfinished: Unfinished | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** The pod as it may act: with what it was granted so far, all of it at first sight. */
  held(asked: Pod): Pod {
    if (!this.#granted) {
      const stated = asked.spec?.resources;
      this.#whole = stated && toldOr(asked.status?.resources, stated);
      this.#granted = new Map(
        sized(asked.spec).map((container) => [
          container.name,
          toldOr(statusNamed(asked.status, container.name)?.resources, container.resources),
        ]),
      );
    }
    this.#asked = asked;
    return withWhole(withSizes(asked, this.#granted), this.#whole);
  }

  /** Does the pod wait for room to become larger? */
  get waits(): boolean {
    return this.#unfinished?.reason === 'Deferred';
  }

  /** What the API is told of a resize that is not through. */
  get conditions(): readonly PodCondition[] {
    return this.#unfinished ? [{ ...this.#unfinished, status: 'True' }] : [];
  }

  /** Does what is asked for, as far as it can be done. Never rejects for a size that cannot be given. */
  async resize(state: PodState): Promise<Resized> {
    const asked = this.#asked as Pod;
    const held = this.held(asked);
    const changes = changesOf(held, asked);
    const isSame = changes.length === 0 && isSameWhole(held, asked);
    const unfinished = isSame
      ? undefined
      : (this.#refusal(held, asked) ?? (await this.#give(held, asked, state)));
    this.#note(asked, unfinished);
    if (unfinished) return { pod: held, restart: [] };
    this.#granted = new Map(sized(asked.spec).map((each) => [each.name, amountsOf(each)]));
    this.#whole = asked.spec?.resources && amountsOf(asked.spec);
    if (!isSame) this.#parts.roomFreed();
    const restart = changes.filter(needsRestart).flatMap(({ now }) => runningOf(state, now) ?? []);
    return { pod: asked, restart };
  }

  #note(pod: Pod, unfinished: Unfinished | undefined): void {
    if (unfinished && unfinished.message !== this.#unfinished?.message)
      this.#parts.events.event(pod, {
        type: 'Warning',
        reason: NOTES[unfinished.reason],
        message: unfinished.message,
      });
    this.#unfinished = unfinished;
  }

  /** Why the node has not got it: never, or not now. */
  #refusal(held: Pod, asked: Pod): Unfinished | undefined {
    const [before, now] = [needsOf(held), needsOf(asked)];
    const { cpuMillis, memoryBytes } = this.#parts.node.allocatable;
    const room = { cpu: cpuMillis, memory: memoryBytes };
    const growing = NAMES.filter((name) => now[name] > before[name]);
    const type = 'PodResizePending';
    const never = growing.find((name) => now[name] > room[name]);
    if (never) {
      const figures = `${never}, requested: ${now[never]}, capacity: ${room[never]}`;
      return {
        type,
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: ${figures}`,
      };
    }
    const verdict = growing.length > 0 ? this.#parts.admit(asked) : undefined;
    if (!verdict?.reason.startsWith('OutOf')) return undefined;
    return { type, reason: 'Deferred', message: verdict.message };
  }

  /** Gives the containers that run their new limits, within the pod's; what fails is tried again at the next look. */
  async #give(held: Pod, asked: Pod, state: PodState): Promise<Unfinished | undefined> {
    const { runtime } = this.#parts.options;
    const { sandbox } = state;
    if (sandbox?.state !== 'ready') return undefined;
    const [from, to] = [held, asked].map(({ spec }) => sandboxResources(spec as PodSpec));
    try {
      await this.#checkWhole(asked, to ?? {});
      await runtime.updateSandboxResources(sandbox.id, larger(from ?? {}, to ?? {}));
      for (const change of changesOf(held, asked))
        if (!needsRestart(change)) await this.#update(change.now, asked, state);
      await runtime.updateSandboxResources(sandbox.id, to ?? {});
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      return { type: 'PodResizeInProgress', reason: 'Error', message };
    }
  }

  /** The kernel would make room in the pod's group by killing. */
  async #checkWhole(
    { metadata }: Pod,
    { memoryLimitBytes = Infinity }: LinuxResources,
  ): Promise<void> {
    if (memoryLimitBytes === Infinity) return;
    const stats = await this.#parts.options.runtime.stats();
    const used = stats
      .filter(({ podUid }) => podUid === metadata.uid)
      .reduce((sum, each) => sum + each.memoryWorkingSetBytes, 0);
    if (used > memoryLimitBytes)
      throw new Error(
        `cannot decrease the memory limit of the pod to ${memoryLimitBytes} bytes: ${used} are in use`,
      );
  }

  async #update(container: Container, pod: Pod, state: PodState): Promise<void> {
    const status = runningOf(state, container);
    if (!status) return;
    const { runtime } = this.#parts.options;
    const facts = { pod, nodeMemoryBytes: this.#parts.node.memoryBytes };
    const wanted = containerResources(container, facts);
    const used = (await runtime.stats()).find(({ containerId }) => containerId === status.id);
    const limit = wanted.memoryLimitBytes ?? Infinity;
    // The kernel would make room by killing.
    if (used && used.memoryWorkingSetBytes > limit)
      throw new Error(
        `cannot decrease the memory limit of container ${container.name} to ${limit} bytes: ${used.memoryWorkingSetBytes} are in use`,
      );
    await runtime.updateContainerResources(status.id, wanted);
  }
}

/** A container before and after. */
interface SizeChange {
  readonly before: Container;
  readonly now: Container;
}

/** Containers that have sizes of their own for as long as the pod runs. */
function sized(spec: PodSpec | undefined): Container[] {
  const sidecars = (spec?.initContainers ?? []).filter((each) => each.restartPolicy === 'Always');
  return [...sidecars, ...(spec?.containers ?? [])];
}

/** What the status says was granted, or what is stated where it says nothing. */
const toldOr = (told: Resources | undefined, stated: Resources | undefined): Resources =>
  told?.limits || told?.requests ? told : amountsOf({ resources: stated });

const isSameWhole = (held: Pod, asked: Pod): boolean =>
  sameMeaning(amountsOf(held.spec ?? {}), amountsOf(asked.spec ?? {}));

function withWhole(pod: Pod, granted: Resources | undefined): Pod {
  if (!granted || !pod.spec?.resources || sameMeaning(amountsOf(pod.spec), granted)) return pod;
  const { limits: _l, requests: _r, ...rest } = pod.spec.resources;
  return { ...pod, spec: { ...pod.spec, resources: { ...rest, ...granted } } };
}

function amountsOf({ resources }: { readonly resources?: Resources | undefined }): Resources {
  const { limits, requests } = resources ?? {};
  return { ...(limits && { limits }), ...(requests && { requests }) };
}

function withSizes(pod: Pod, granted: ReadonlyMap<string, Resources>): Pod {
  const isSame = (each: Container) => sameMeaning(amountsOf(each), granted.get(each.name) ?? {});
  if (!pod.spec || sized(pod.spec).every(isSame)) return pod;
  const asGranted = (each: Container): Container => {
    const amounts = granted.get(each.name);
    if (!amounts) return each;
    const { limits: _l, requests: _r, ...rest } = each.resources ?? {};
    return { ...each, resources: { ...rest, ...amounts } };
  };
  const { initContainers } = pod.spec;
  const containers = pod.spec.containers.map(asGranted);
  const inits = initContainers && { initContainers: initContainers.map(asGranted) };
  return { ...pod, spec: { ...pod.spec, ...inits, containers } };
}

function changesOf(held: Pod, asked: Pod): SizeChange[] {
  const before = sized(held.spec);
  return sized(asked.spec).flatMap((now, i) => {
    const old = before[i];
    return old && !sameMeaning(amountsOf(old), amountsOf(now)) ? [{ before: old, now }] : [];
  });
}

/** Does the container's policy for what changes ask for a restart? */
function needsRestart({ before, now }: SizeChange): boolean {
  const changed = NAMES.filter((name) =>
    SIDES.some((side) => before.resources?.[side]?.[name] !== now.resources?.[side]?.[name]),
  );
  return (now.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' && changed.some((name) => name === resourceName),
  );
}

function runningOf({ containers }: PodState, { name }: Container): ContainerStatus | undefined {
  const status = containers.get(name)?.[0];
  return status?.state === 'running' ? status : undefined;
}

function needsOf({ spec }: Pod): Readonly<Record<(typeof NAMES)[number], number>> {
  const { cpu, memory } = spec ? podRequests(spec) : {};
  return { cpu: cpu ? toMilli(cpu) : 0, memory: memory ? toWhole(memory) : 0 };
}

/** Limits that both fit into; no limit is the largest. */
function larger(a: LinuxResources, b: LinuxResources): LinuxResources {
  const most = (x: number | undefined, y: number | undefined) =>
    x === undefined || y === undefined ? undefined : Math.max(x, y);
  const cpuQuotaUs = most(a.cpuQuotaUs, b.cpuQuotaUs);
  const memoryLimitBytes = most(a.memoryLimitBytes, b.memoryLimitBytes);
  return {
    cpuShares: Math.max(a.cpuShares ?? 0, b.cpuShares ?? 0),
    ...(cpuQuotaUs !== undefined && { cpuQuotaUs, cpuPeriodUs: a.cpuPeriodUs ?? 100_000 }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  };
}
