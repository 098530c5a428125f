// Runs the probes of running containers and keeps their verdicts.
// Invariant: readiness and liveness wait until startup has succeeded; a container that is gone has no running probe, and none has
// one once the node agent has ended.
import type { Container, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ContainerRuntime } from '../runtime/runtime.ts';
import type { ProbeDoor, ProbeKind, Probes } from './probe-door.ts';
import { FRESH, type ProbeResult, type ProbeState, stepProbe } from './probe-state.ts';

/** What the prober needs. */
export interface ProberOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly random: Random;
  readonly door: ProbeDoor;
}

/** A container to probe. */
export interface Probed {
  readonly containerId: string;
  readonly container: Container;
  readonly podIp: string;
  /** Wall time that initialDelaySeconds counts from. */
  readonly startedAtMs: number;
  /** What was told of this very container before, by an agent that ended: holds until a probe says otherwise. */
  readonly known?: { readonly started: boolean; readonly ready: boolean } | undefined;
  /** Told of tries that went well with a warning, and of those that could not be made. */
  readonly onNote?: (kind: ProbeKind, note: ProbeNote) => void;
  /** Told when a verdict changes, and of each failed try. */
  readonly onChange: () => void;
  readonly onFailure: (kind: ProbeKind, message: string) => void;
  /** Told of each try that counts. */
  readonly onResult?: ((kind: ProbeKind, ok: boolean) => void) | undefined;
}

/** What there is to say of a try besides that it failed. */
export interface ProbeNote {
  readonly what: 'warning' | 'errored';
  readonly message: string;
}

/** A verdict taken over from an agent before this one. */
const HELD: ProbeState = { verdict: 'ok', last: 'ok', run: 1 };

interface Watched {
  readonly probed: Probed;
  readonly probes: Probes;
  readonly states: Map<ProbeKind, ProbeState>;
  readonly ending: AbortController;
  failed: { message: string; graceMs: number | undefined } | undefined;
  enduring: boolean;
}

/** One probe of a container, and what comes once it has succeeded for good (startup only). */
interface Run {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly next?: () => void;
}

/** The probes of a node. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #watched = new Map<string, Watched>();
  #closed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Begins to probe a container; does nothing for one that is probed already, nor once closed. */
  watch(probed: Probed): void {
    if (this.#closed || this.#watched.has(probed.containerId)) return;
    const { startupProbe, readinessProbe, livenessProbe } = this.#options.door.probesOf(
      probed.containerId,
      probed.container,
    );
    const watched: Watched = {
      probed,
      probes: { startupProbe, readinessProbe, livenessProbe },
      states: new Map(),
      ending: new AbortController(),
      failed: undefined,
      enduring: false,
    };
    this.#watched.set(probed.containerId, watched);
    if (probed.known?.started) watched.states.set('startup', HELD);
    if (probed.known?.ready) watched.states.set('readiness', HELD);
    const rest = () => {
      if (readinessProbe) this.#begin(watched, { kind: 'readiness', probe: readinessProbe });
      if (livenessProbe) this.#begin(watched, { kind: 'liveness', probe: livenessProbe });
    };
    if (startupProbe && !probed.known?.started)
      this.#begin(watched, { kind: 'startup', probe: startupProbe, next: rest });
    else rest();
  }

  /** Ends the probes of a container. */
  forget(containerId: string): void {
    this.#watched.get(containerId)?.ending.abort(new Error('the container is gone'));
    this.#watched.delete(containerId);
  }

  /** Ends all probes; the last verdicts stay. */
  close(): void {
    this.#closed = true;
    for (const { ending } of this.#watched.values()) ending.abort(new Error('the node agent ends'));
  }

  /** The container is being stopped: only its readiness still matters. */
  endure(containerId: string): void {
    const watched = this.#watched.get(containerId);
    if (watched) watched.enduring = true;
  }

  started(containerId: string): boolean {
    const watched = this.#watched.get(containerId);
    if (!watched) return false;
    return !watched.probes.startupProbe || watched.states.get('startup')?.verdict === 'ok';
  }

  ready(containerId: string): boolean {
    const watched = this.#watched.get(containerId);
    if (!watched || !this.started(containerId)) return false;
    return !watched.probes.readinessProbe || watched.states.get('readiness')?.verdict === 'ok';
  }

  failed(containerId: string): { message: string; graceMs: number | undefined } | undefined {
    return this.#watched.get(containerId)?.failed;
  }

  #begin(watched: Watched, of: Run): void {
    this.#run(watched, of).catch(() => undefined);
  }

  /** Ends when aborted (by the rejection of sleep), when startup succeeded, or when the container is given up. */
  async #run(watched: Watched, of: Run): Promise<void> {
    const { clock } = this.#options;
    const { signal } = watched.ending;
    const due = watched.probed.startedAtMs + (of.probe.initialDelaySeconds ?? 0) * 1000;
    await clock.sleep(Math.max(0, due - clock.now()), signal);
    let result = await this.#tryEarly(watched, of);
    while (this.#goesOn(watched, of)) {
      const after = this.#take(watched, of, result);
      if (after === 'over') of.next?.();
      if (after !== 'goes on') return;
      await clock.sleep(periodMs(of.probe), signal);
      result = await this.#try(watched, of);
    }
  }

  #try({ probed }: Watched, { kind, probe }: Run): Promise<ProbeResult> {
    const { clock, runtime, door } = this.#options;
    const { container, containerId, podIp } = probed;
    return door.try(kind, probe, { runtime, clock, container, containerId, podIp });
  }

  /**
   * The first result. A container that only now starts is asked again soon while it refuses, within its first period and
   * silently, so that it serves as soon as it can; what counts are the tries that the period gives.
   */
  async #tryEarly(watched: Watched, of: Run): Promise<ProbeResult> {
    const { clock } = this.#options;
    const { signal } = watched.ending;
    const eager = of.kind !== 'liveness' && !of.probe.exec && (of.probe.successThreshold ?? 1) <= 1;
    const until = clock.now() + periodMs(of.probe);
    for (let pause = EARLY_RETRY_MS; ; pause *= 2) {
      const result = await this.#try(watched, of);
      if (result.ok || !eager || clock.now() + pause >= until) return result;
      await clock.sleep(pause, signal);
      if (!this.#goesOn(watched, of)) return result;
    }
  }

  #goesOn({ ending, enduring }: Watched, { kind }: Run): boolean {
    return !ending.signal.aborted && !(enduring && kind !== 'readiness');
  }

  #take(watched: Watched, of: Run, result: ProbeResult): 'goes on' | 'over' | 'given up' {
    if (this.#note(watched, of, result)) return 'goes on';
    const before = watched.states.get(of.kind) ?? FRESH;
    const limits = {
      success: of.probe.successThreshold ?? 1,
      failure: of.probe.failureThreshold ?? 3,
    };
    const after = stepProbe(before, result, limits);
    watched.states.set(of.kind, after);
    watched.probed.onResult?.(of.kind, result.ok);
    if (!result.ok) watched.probed.onFailure(of.kind, result.message);
    if (after.verdict === before.verdict) return 'goes on';
    const givesUp = after.verdict === 'failed' && of.kind !== 'readiness';
    if (givesUp) this.#giveUp(watched, of);
    watched.probed.onChange();
    if (givesUp) return 'given up';
    return of.kind === 'startup' && after.verdict === 'ok' ? 'over' : 'goes on';
  }

  /** True where the try says nothing of the container. */
  #note({ probed }: Watched, { kind }: Run, result: ProbeResult): boolean {
    if (result.ok && result.warning !== undefined)
      probed.onNote?.(kind, { what: 'warning', message: result.warning });
    if (result.ok || !result.errored) return false;
    probed.onNote?.(kind, { what: 'errored', message: result.message });
    return true;
  }

  #giveUp(watched: Watched, of: Run): void {
    const { container } = watched.probed;
    const seconds = of.probe.terminationGracePeriodSeconds;
    watched.failed = {
      message: `${container.name} failed ${of.kind} probe`,
      graceMs: seconds === undefined ? undefined : seconds * 1000,
    };
  }
}

/** The first pause between early tries; it doubles. */
const EARLY_RETRY_MS = 50;

const periodMs = (probe: Probe): number => (probe.periodSeconds ?? 10) * 1000;
