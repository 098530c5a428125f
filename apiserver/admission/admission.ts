// The admission chain: plugins that may change, then plugins that may refuse. One file per plugin.
// Invariant: every write, and every connection to a pod, node or Service, passes the whole chain, in order, before anything
// comes of it; a refusal leaves nothing behind.
import type { MaybePromise, ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import type {
  AdmissionFigures,
  AdmissionType,
  StepDurations,
} from '../metrics/admission-figures.ts';

/** What is asked for. */
export type AdmissionOperation = 'create' | 'update' | 'delete' | 'connect';

/** A write on its way, or a connection. */
export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly definition: ResourceDefinition;
  readonly subresource: string | undefined;
  readonly namespace: string;
  /** '' for a name that is to be generated, until it is. */
  readonly name: string;
  readonly user: UserInfo;
  /**
   * The new object, in the form that handlers see; plugins that change it change this one. The old one on deletes. What is
   * sent to a subresource that has a kind of its own (Eviction, PodExecOptions) is that; a change of a Scale is its object's.
   */
  readonly object: LooseObject;
  readonly old: LooseObject | undefined;
  /** Nothing is to be stored, by plugins neither. */
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions as they were sent; undefined for connections. */
  readonly options: object | undefined;
  readonly signal: AbortSignal;
  /** Plugins add texts for `Warning` headers. */
  readonly warnings: string[];
  /** Notes something for the audit; keys are `domain/name`. */
  annotate(key: string, value: string): void;
}

/** One pass of the plugins that change. */
export interface AdmissionRound {
  /** Is this the second pass, after somebody from outside changed the object? */
  readonly again: boolean;
  /** Says that somebody from outside changed the object: every plugin looks at it once more, and it is prepared anew. */
  changed(): void;
}

/** A plugin. Both parts throw a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Changes made twice come to the same as changes made once. */
  mutate?(request: AdmissionRequest, round: AdmissionRound): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** Where it is counted how long each plugin, and each step, took. */
export type AdmissionTiming = Pick<AdmissionFigures, 'durations'>;

type Ask = (plugin: AdmissionPlugin) => void | Promise<void>;

/** Whoever is asked about a write. Both throw, or reject with, what the first plugin that refuses throws. */
export type Admission = Pick<AdmissionChain, 'mutate' | 'validate'>;

/** For what follows from a write that was admitted, and must come about. */
export const NO_ADMISSION: Admission = {
  mutate: () => false,
  validate: () => undefined,
};

/** The plugins in order. */
export class AdmissionChain {
  readonly #changing: Step;
  readonly #refusing: Step;

  constructor(
    plugins: readonly AdmissionPlugin[],
    how: { readonly clock: Clock; readonly timing: AdmissionTiming },
  ) {
    const changing = plugins.filter((plugin) => plugin.mutate !== undefined);
    const refusing = plugins.filter((plugin) => plugin.validate !== undefined);
    this.#changing = new Step('admit', changing, how);
    this.#refusing = new Step('validate', refusing, how);
  }

  /**
   * Whether somebody from outside changed the object; plugins of the house may have, either way. At once where nobody had to be asked:
   * it is not awaited then, as each promise is some hundred instructions of every write.
   */
  mutate(request: AdmissionRequest): MaybePromise<boolean> {
    let changed = false;
    const note = () => {
      changed = true;
    };
    const passing = this.#pass(request, { again: false, changed: note });
    const again = () => (changed ? this.#passAgain(request, note) : false);
    return passing ? passing.then(again) : again();
  }

  async #passAgain(request: AdmissionRequest, note: () => void): Promise<true> {
    await this.#pass(request, { again: true, changed: note });
    return true;
  }

  #pass(request: AdmissionRequest, round: AdmissionRound): void | Promise<void> {
    return this.#changing.run(request, (plugin) => plugin.mutate?.(request, round));
  }

  /** A promise where a plugin has to be waited for. */
  validate(request: AdmissionRequest): void | Promise<void> {
    return this.#refusing.run(request, (plugin) => plugin.validate?.(request));
  }
}

/** Where the times of one operation are counted. */
interface OperationDurations {
  readonly whole: StepDurations;
  readonly each: readonly StepDurations[];
}

/** One half of the chain, with the time that it takes. */
class Step {
  readonly #type: AdmissionType;
  readonly #plugins: readonly AdmissionPlugin[];
  readonly #clock: Clock;
  readonly #timing: AdmissionTiming;
  /** Found once for each operation: a write looks up none of them. */
  readonly #durations = new Map<AdmissionOperation, OperationDurations>();

  constructor(
    type: AdmissionType,
    plugins: readonly AdmissionPlugin[],
    { clock, timing }: { readonly clock: Clock; readonly timing: AdmissionTiming },
  ) {
    this.#type = type;
    this.#plugins = plugins;
    this.#clock = clock;
    this.#timing = timing;
  }

  /** A promise from the first plugin on that has to be waited for: most writes have none. */
  run({ operation }: AdmissionRequest, ask: Ask): void | Promise<void> {
    const watch = new StopWatch(
      this.#clock,
      this.#durations.get(operation) ?? this.#find(operation),
    );
    return this.#runFrom(0, ask, watch);
  }

  #runFrom(first: number, ask: Ask, watch: StopWatch): void | Promise<void> {
    for (let index = first; index < this.#plugins.length; index++) {
      const work = this.#ask(index, ask, watch);
      if (work) return this.#runAfter(work, { index, ask, watch });
      watch.passed(index);
    }
    watch.allPassed();
  }

  #ask(index: number, ask: Ask, watch: StopWatch): void | Promise<void> {
    try {
      return ask(this.#plugins[index] as AdmissionPlugin);
    } catch (error) {
      watch.refused(index);
      throw error;
    }
  }

  async #runAfter(
    work: Promise<void>,
    { index, ask, watch }: { index: number; ask: Ask; watch: StopWatch },
  ): Promise<void> {
    try {
      await work;
    } catch (error) {
      watch.refused(index);
      throw error;
    }
    watch.passed(index);
    await this.#runFrom(index + 1, ask, watch);
  }

  #find(operation: AdmissionOperation): OperationDurations {
    const of = (name: string) => this.#timing.durations(name, this.#type, operation);
    const found = { whole: of(''), each: this.#plugins.map(({ name }) => of(name)) };
    this.#durations.set(operation, found);
    return found;
  }
}

const MS_PER_SECOND = 1000;

/** Counts how long each plugin took, and all of them together. */
class StopWatch {
  readonly #clock: Clock;
  readonly #durations: OperationDurations;
  readonly #startedAt: number;
  #last: number;

  constructor(clock: Clock, durations: OperationDurations) {
    this.#clock = clock;
    this.#durations = durations;
    this.#startedAt = clock.monotonic();
    this.#last = this.#startedAt;
  }

  passed(index: number): void {
    const now = this.#clock.monotonic();
    this.#durations.each[index]?.passed.observe((now - this.#last) / MS_PER_SECOND);
    this.#last = now;
  }

  /** The last of them passed. */
  allPassed(): void {
    this.#durations.whole.passed.observe((this.#last - this.#startedAt) / MS_PER_SECOND);
  }

  refused(index: number): void {
    const now = this.#clock.monotonic();
    this.#durations.each[index]?.refused.observe((now - this.#last) / MS_PER_SECOND);
    this.#durations.whole.refused.observe((now - this.#startedAt) / MS_PER_SECOND);
  }
}

/** The name to tell people of an object whose name may not be there yet. */
export function toldName({ name, object }: Pick<AdmissionRequest, 'name' | 'object'>): string {
  const { metadata } = object as Partial<LooseObject>;
  return name || (metadata?.name ?? metadata?.generateName ?? '');
}
