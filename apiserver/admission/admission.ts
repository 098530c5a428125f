// The admission chain: plugins that may change, then plugins that may refuse. One file per plugin.
// Invariant: every write passes the whole chain, in order, before it is stored; a refusal leaves nothing behind.
import type { ResourceDefinition } from '../../api/definition.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import type { UserInfo } from '../../api/wire/exchange.ts';

/** A write on its way. */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly definition: ResourceDefinition;
  readonly subresource: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly user: UserInfo;
  /** The new object; plugins that change it change this one. */
  readonly object: LooseObject;
  readonly old: LooseObject | undefined;
  /** Nothing is to be stored, by plugins neither. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** A plugin. Both parts throw a StatusError to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
}

/** The plugins in order. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(request: AdmissionRequest): Promise<void> {
    for (const plugin of this.#plugins) {
      const work = plugin.mutate?.(request);
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
