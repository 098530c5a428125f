// The admission chain: plugins that may change, then plugins that may refuse. One file per plugin.
// Invariant: every write, and every connection to a pod, node or Service, passes the whole chain, in order, before anything
// comes of it; a refusal leaves nothing behind.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';

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

/** The plugins in order. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
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

  async #pass(request: AdmissionRequest, round: AdmissionRound): Promise<void> {
    for (const plugin of this.#plugins) {
      const work = plugin.mutate?.(request, round);
      if (work) await work;
    }
  }

  async validate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      const work = plugin.validate?.(request);
      if (work) await work;
    }
  }
}

/** The name to tell people of an object whose name may not be there yet. */
export function toldName({ name, object }: Pick<AdmissionRequest, 'name' | 'object'>): string {
  const { metadata } = object as Partial<LooseObject>;
  return name || (metadata?.name ?? metadata?.generateName ?? '');
}
