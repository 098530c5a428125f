// The APIServices of the groups that this server answers for itself, kept in step with them: also those of custom resources.
// Invariants: what somebody registered another server under is never touched; one that is deleted while the group is there comes
// back, so that a group which another server had is this server's own again. Of figures that an adapter has there are none here.
import type { Timer } from '../../../base/clock.ts';
import type { APIService } from '../../../api/generated/types.ts';
import { APIServices } from '../../../api/kinds.ts';
import type { LooseObject } from '../../../api/meta/object.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { ServedResource } from '../../../api/schema/endpoints.ts';
import { isConflict, isNotFound } from '../../../api/status.ts';
import type { ServerParts } from '../../exchange.ts';
import { ensureObject } from '../../registry/ensure-object.ts';
import {
  AUTOMANAGED,
  customApiServices,
  KEPT_FROM_START,
  KEPT_WITH_KIND,
  localApiServices,
  notYielded,
} from '../local-api-services.ts';

/** Marks of those that are this server's to take away. */
const KEPT: ReadonlySet<unknown> = new Set([KEPT_FROM_START, KEPT_WITH_KIND]);

/** How long after a write that failed the next try comes, in ms; a change of kinds brings it at once. */
const RETRY_MS = 1_000;

/** Keeps them. */
export class LocalRegistration {
  readonly #server: ServerParts;
  readonly #extra: readonly ServedResource[];
  readonly #settled: () => void;
  #due = false;
  #retry: Timer | undefined;
  #working = false;
  #closed = false;

  /** `extra` are resources without a definition; `settled` is told each time that all are there, and none too many. */
  constructor(server: ServerParts, extra: readonly ServedResource[], settled: () => void) {
    this.#server = server;
    this.#extra = extra;
    this.#settled = settled;
  }

  /** Something may be missing, or too much, among `present`, which is asked for when it is looked at. */
  refresh(present: () => readonly APIService[]): void {
    if (this.#closed) return;
    this.#retry?.cancel();
    this.#due = true;
    if (!this.#working) void this.#work(present);
  }

  /** Nothing is written any more. */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  async #work(present: () => readonly APIService[]): Promise<void> {
    this.#working = true;
    while (this.#due && !this.#closed) {
      this.#due = false;
      // Many kinds may come in one turn.
      await Promise.resolve();
      try {
        await this.#settle(present());
        if (!this.#due) this.#settled();
      } catch (err) {
        if (this.#closed) return;
        this.#server.logger.warn('APIServices of this server could not be kept', { err });
        this.#retry = this.#server.clock.timer(RETRY_MS, () => this.refresh(present));
      }
    }
    this.#working = false;
  }

  async #settle(present: readonly APIService[]): Promise<void> {
    const { scheme, clock } = this.#server;
    const now = formatTime(clock.now());
    const elsewhere = new Set(present.flatMap(({ spec }) => (spec?.service && spec.group) || []));
    const own = [...scheme.definitions, ...notYielded(this.#extra, elsewhere)];
    const wanted = [...localApiServices(own, now), ...customApiServices(scheme.custom, own, now)];
    const names = new Set(wanted.map(({ metadata }) => metadata.name));
    const there = new Set(present.map(({ metadata }) => metadata.name));
    const missing = wanted.filter(({ metadata }) => !there.has(metadata.name));
    const needless = present.filter(
      ({ metadata, spec }) =>
        KEPT.has(metadata.labels?.[AUTOMANAGED]) && !spec?.service && !names.has(metadata.name),
    );
    await Promise.all([
      ...missing.map((each) => ensureObject(this.#server, each as unknown as LooseObject)),
      ...needless.map((each) => this.#remove(each)),
    ]);
  }

  async #remove({ metadata }: APIService): Promise<void> {
    const { registry, scheme } = this.#server;
    const { group, version, plural } = APIServices;
    const definition = scheme.byResource(group, version, plural);
    if (!definition) return;
    const at = { definition, namespace: '', name: metadata.name ?? '' };
    const same = (old: LooseObject) => old.metadata.resourceVersion === metadata.resourceVersion;
    await registry
      .update(at, (old) => ({ kind: same(old) ? 'delete' : 'keep' }), { dryRun: false })
      .catch((error: unknown) => {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      });
  }
}
