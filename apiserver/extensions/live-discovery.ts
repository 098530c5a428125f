// Discovery of the built-in kinds, of those that users defined, and of those that other servers have, as they are now.
// Invariant: documents are made when somebody asks; a change of the kinds costs nothing until then.
import type { Scheme } from '../../api/scheme.ts';
import type { ServedResource } from '../../api/schema/endpoints.ts';
import { createDiscovery, type Discovery } from '../discovery/discovery.ts';
import type { RegisteredVersion } from './aggregation/aggregation.ts';
import { mergedOpenApiV2 } from './aggregation/openapi-merge.ts';
import { notYielded } from './local-api-services.ts';

/** Discovery that follows a scheme and a registration; `refresh` is called when either has changed. */
export class LiveDiscovery implements Discovery {
  readonly #scheme: Scheme;
  readonly #extra: readonly ServedResource[];
  readonly #registered: () => readonly RegisteredVersion[];
  #current: Discovery | undefined;

  constructor(
    scheme: Scheme,
    extra: readonly ServedResource[],
    registered: () => readonly RegisteredVersion[],
  ) {
    this.#scheme = scheme;
    this.#extra = extra;
    this.#registered = registered;
  }

  refresh(): void {
    this.#current = undefined;
  }

  handle(...request: Parameters<Discovery['handle']>): ReturnType<Discovery['handle']> {
    this.#current ??= this.#make();
    return this.#current.handle(...request);
  }

  #make(): Discovery {
    const registered = this.#registered();
    const elsewhere = new Set(registered.flatMap(({ group, remote }) => (remote ? group : [])));
    const parts = registered.flatMap(({ remote }) => remote?.openApiV2 ?? []);
    return createDiscovery([...this.#scheme.definitions, ...this.#scheme.custom], {
      extra: notYielded(this.#extra, elsewhere),
      registered,
      withOthers: (own) => mergedOpenApiV2(own, parts),
    });
  }
}
