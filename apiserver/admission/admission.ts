// The admission chain: plugins that may change, then plugins that may refuse. One file per plugin.
// Invariant: every write, and every connection to a pod, node or Service, passes the whole chain, in order, before anything
// comes of it; a refusal leaves nothing behind.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';
import type { Clock } from '../../base/clock.ts';
import type { AdmissionFigures, AdmissionType } from '../metrics/admission-figures.ts';

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

/** Told how long each plugin, and each step, took; the step goes by the empty name. */
export type AdmissionTiming = Pick<AdmissionFigures, 'asked'>;

/** The plugins in order. */
export class AdmissionChain {
  readonly #changing: readonly AdmissionPlugin[];
  readonly #refusing: readonly AdmissionPlugin[];
  readonly #clock: Clock;
  readonly #timing: AdmissionTiming;

  constructor(
    plugins: readonly AdmissionPlugin[],
    { clock, timing }: { readonly clock: Clock; readonly timing: AdmissionTiming },
  ) {
    this.#changing = plugins.filter((plugin) => plugin.mutate !== undefined);
    this.#refusing = plugins.filter((plugin) => plugin.validate !== undefined);
    this.#clock = clock;
    this.#timing = timing;
  }

  /** Whether somebody from outside changed the object; plugins of the house may have, either way. */
  async mutate(request: AdmissionRequest): Promise<boolean> {
    let changed = false;
    const note = () => {
      changed = true;
    };
    await this.#pass(request, { again: false, changed: note });
    if (!changed) return false;
    await this.#pass(request, { again: true, changed: note });
    return true;
  }

  #pass(request: AdmissionRequest, round: AdmissionRound): Promise<void> {
    const ask = (plugin: AdmissionPlugin) => plugin.mutate?.(request, round);
    return this.#step({ type: 'admit', plugins: this.#changing }, request, ask);
  }

  /** Throws what the first plugin that refuses throws. */
  validate(request: AdmissionRequest): Promise<void> {
    const ask = (plugin: AdmissionPlugin) => plugin.validate?.(request);
    return this.#step({ type: 'validate', plugins: this.#refusing }, request, ask);
  }

  async #step(
    { type, plugins }: { type: AdmissionType; plugins: readonly AdmissionPlugin[] },
    { operation }: AdmissionRequest,
    ask: (plugin: AdmissionPlugin) => void | Promise<void>,
  ): Promise<void> {
    const about = { type, operation };
    const startedAt = this.#clock.monotonic();
    let lastAt = startedAt;
    let asked = '';
    const told = (plugin: string, since: number, rejected: boolean) => {
      const now = this.#clock.monotonic();
      this.#timing.asked(plugin, about, { ms: now - since, rejected });
      return now;
    };
    try {
      for (const plugin of plugins) {
        asked = plugin.name;
        const work = ask(plugin);
        if (work) await work;
        lastAt = told(asked, lastAt, false);
      }
    } catch (error) {
      told(asked, lastAt, true);
      told('', startedAt, true);
      throw error;
    }
    told('', startedAt, false);
  }
}

/** The name to tell people of an object whose name may not be there yet. */
export function toldName({ name, object }: Pick<AdmissionRequest, 'name' | 'object'>): string {
  const { metadata } = object as Partial<LooseObject>;
  return name || (metadata?.name ?? metadata?.generateName ?? '');
}
