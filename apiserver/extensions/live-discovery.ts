// Discovery of the built-in kinds and of those that users defined, as they are now.
// Invariant: documents are made when somebody asks; a change of the kinds costs nothing until then.
import type { Scheme } from '../../api/scheme.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { createDiscovery, type Discovery } from '../discovery/discovery.ts';

/** Discovery that follows a scheme; `refresh` is called when its custom kinds have changed. */
export class LiveDiscovery implements Discovery {
  readonly #scheme: Scheme;
  readonly #extra: readonly ServedResource[];
  #current: Discovery | undefined;

  constructor(scheme: Scheme, extra: readonly ServedResource[]) {
    this.#scheme = scheme;
    this.#extra = extra;
  }

  refresh(): void {
    this.#current = undefined;
  }

  handle(...request: Parameters<Discovery['handle']>): ReturnType<Discovery['handle']> {
    this.#current ??= createDiscovery([...this.#scheme.definitions, ...this.#scheme.custom], {
      extra: this.#extra,
    });
    return this.#current.handle(...request);
  }
}
