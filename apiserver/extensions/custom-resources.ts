// What stored CustomResourceDefinitions make of the server: names are accepted, kinds are served, and go with their objects.
// Invariants: the served kinds follow the store's events in order, in the turn in which a definition becomes visible;
// a definition that is being deleted takes no new objects and goes only after its last one.
import type { ResourceDefinition } from '../../api/definition.ts';
import { customResources } from '../../api/apiextensions/custom-resource.ts';
import { outlineOf } from '../../api/apiextensions/outline.ts';
import { SchemaTrees } from '../../api/apiextensions/schema-trees.ts';
import type { CustomResourceDefinition } from '../../api/generated/types.ts';
import { apiVersionOf } from '../../api/kind-ref.ts';
import { CustomResourceDefinitions } from '../../api/kinds.ts';
import { deepEqual } from '../../api/meta/deep-equal.ts';
import { isConditionTrue, setCondition } from '../../api/meta/conditions.ts';
import type { LooseObject } from '../../api/meta/object.ts';
import { SUPERUSERS } from '../../api/rbac/evaluate.ts';
import { isConflict, isNotFound } from '../../api/status.ts';
import { NO_ADMISSION } from '../admission/admission.ts';
import type { Exchange, ServerParts } from '../exchange.ts';
import { removeCollection } from '../handlers/delete-collection.ts';
import { collectionPrefix } from '../registry/keys.ts';
import type { VisibleObject } from '../watch/visible-object.ts';
import { type Converter, customForms, renamed } from './custom-form.ts';
import type { DefinitionNames } from './definition-names.ts';
import { SchemaAge } from './schema-age.ts';
import { webhookConverter } from './webhook-conversion.ts';

/** Held by definitions that are being deleted while objects of theirs are there. Source: the public API reference. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
/** Who deletes the objects of a definition that goes. */
const SYSTEM = { username: 'system:apiserver', groups: [SUPERUSERS] };
/** Tries again to end a definition whose objects were held after this long; the end of an object wakes it sooner. */
const RETRY_MS = 5_000;

/** What the part needs besides the server's. */
export interface CustomResourcesOptions {
  readonly server: ServerParts;
  /** Who has which name; the server's strategy of definitions. */
  readonly names: DefinitionNames;
  /** Called after the served kinds have changed. */
  readonly onChange: () => void;
}

interface Known {
  /** Without its schemas. */
  readonly crd: CustomResourceDefinition;
  readonly served: readonly ResourceDefinition[];
  readonly form: Form;
}

/** How a kind is served, until that changes. */
interface Form {
  /** Ends the watches of what is served so. */
  readonly life: AbortController;
  /** Since when objects were written under these schemas; shared with the forms before and after. */
  readonly age: SchemaAge;
  /** The newest state with these schemas. */
  stored: VisibleObject;
}

const NONE: readonly ResourceDefinition[] = [];

/** Follows the definitions in a store. */
export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #known = new Map<string, Known>();
  readonly #ending = new Map<string, () => void>();
  readonly #unsubscribe: () => void;
  readonly #closed = new AbortController();

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
    const { store } = options.server;
    const prefix = collectionPrefix(CustomResourceDefinitions);
    options.names.whenFreed(() => this.#settleRefused());
    for (const item of store.list(prefix).items) this.#put(item);
    this.#unsubscribe = store.subscribe(prefix, (event) => {
      if (event.type === 'put') this.#put(event.value);
      else this.#remove(nameIn(event.key));
    });
  }

  /** Stops following; what is under way is given up. */
  close(): void {
    this.#unsubscribe();
    this.#closed.abort();
    for (const stop of this.#ending.values()) stop();
  }

  #put(stored: VisibleObject): void {
    const crd = outlineOf(stored.object() as unknown as CustomResourceDefinition);
    const name = crd.metadata.name ?? '';
    const before = this.#known.get(name);
    const form =
      before && sameKind(before.crd, crd)
        ? before.form
        : { life: new AbortController(), age: this.#ageAfter(before), stored };
    form.stored = stored;
    const served = this.#definitions(crd, form);
    this.#known.set(name, { crd, served, form });
    this.#options.names.hold(crd);
    this.#serve(name, before?.served ?? [], served);
    if (before && before.form !== form) before.form.life.abort(new Error('the kind has changed'));
    if (crd.metadata.deletionTimestamp !== undefined) this.#end(crd);
    else this.#settleNames(crd);
  }

  #definitions(crd: CustomResourceDefinition, form: Form): readonly ResourceDefinition[] {
    const names = crd.status?.acceptedNames;
    if (!names || !isConditionTrue(crd.status?.conditions, 'Established')) return NONE;
    const before = this.#known.get(crd.metadata.name ?? '');
    const same =
      before?.form === form &&
      before.crd.metadata.deletionTimestamp === crd.metadata.deletionTimestamp;
    if (same && before.served.length > 0) return before.served;
    const ending = crd.metadata.deletionTimestamp !== undefined;
    const trees = new SchemaTrees(
      () => form.stored.object() as unknown as CustomResourceDefinition,
    );
    const { age, life } = form;
    const forms = customForms(crd, { trees, age, convert: this.#converterOf(crd) });
    return customResources(ending ? allServed(crd) : crd, names, trees).map((each) => ({
      ...each,
      form: forms(apiVersionOf(each.ref)),
      gone: life.signal,
      ...(ending && { ending }),
    }));
  }

  #converterOf({ spec: { conversion } }: CustomResourceDefinition): Converter {
    if (conversion?.strategy !== 'Webhook') return renamed;
    const { random, webhooks } = this.#options.server;
    const { signal } = this.#closed;
    return webhookConverter({ webhooks, random, signal }, conversion);
  }

  /** What was stored before the server began, or before the definition changed, may lack what schemas give today. */
  #ageAfter(before: Known | undefined): SchemaAge {
    const { revision } = this.#options.server.store;
    if (before === undefined) return new SchemaAge(revision);
    before.form.age.changed(revision);
    return before.form.age;
  }

  #remove(name: string): void {
    const before = this.#known.get(name);
    before?.form.life.abort(new Error('the kind is gone'));
    this.#known.delete(name);
    this.#options.names.giveUp(name);
    this.#serve(name, before?.served ?? [], NONE);
    this.#ending.get(name)?.();
    this.#settleRefused();
  }

  /** Somebody may wait for names that are free now. */
  #settleRefused(): void {
    for (const { crd } of this.#known.values())
      if (!isConditionTrue(crd.status?.conditions, 'NamesAccepted')) this.#settleNames(crd);
  }

  #serve(
    name: string,
    before: readonly ResourceDefinition[],
    now: readonly ResourceDefinition[],
  ): void {
    if (before === now || before.length + now.length === 0) return;
    this.#options.server.scheme.serveCustom(name, now);
    this.#options.onChange();
  }

  #settleNames(crd: CustomResourceDefinition): void {
    const status = this.#options.names.decided(crd);
    if (!deepEqual(status, crd.status)) void this.#write(crd, (old) => ({ ...old, status }));
  }

  /** Deletes the objects, waits for the last one, and lets the definition go. */
  #end(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? '';
    if (this.#ending.has(name) || !crd.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return;
    const { store, clock } = this.#options.server;
    const prefix = `/registry/${crd.spec.group}/${crd.spec.names.plural}/`;
    let timer = clock.timer(0, () => look());
    const look = () => {
      timer.cancel();
      void this.#cleanUp(crd, prefix).then((held) => {
        if (held && this.#ending.has(name)) timer = clock.timer(RETRY_MS, look);
      });
    };
    const unsubscribe = store.subscribe(prefix, (event) => {
      if (event.type !== 'put' && store.list(prefix, { limit: 1 }).items.length === 0) look();
    });
    this.#ending.set(name, () => {
      timer.cancel();
      unsubscribe();
      this.#ending.delete(name);
    });
  }

  /** True while objects are left. */
  async #cleanUp(crd: CustomResourceDefinition, prefix: string): Promise<boolean> {
    const { store, clock, logger } = this.#options.server;
    const terminating = (status: string, reason: string, message: string) =>
      this.#write(crd, (old) => {
        const { status: before } = old as unknown as CustomResourceDefinition;
        const condition = { type: 'Terminating', status, reason, message };
        const conditions = setCondition(before?.conditions, condition, clock.now());
        return { ...old, status: { ...before, conditions } };
      });
    // Names that were never this definition's are somebody else's, and so are the objects.
    const own = isOwn(crd) && !this.#isBuiltIn(crd);
    try {
      if (own && store.list(prefix, { limit: 1 }).items.length > 0) {
        await terminating(
          'True',
          'InstanceDeletionInProgress',
          'CustomResource deletion is in progress',
        );
        await this.#deleteObjects(crd, prefix);
      }
      if (own && store.list(prefix, { limit: 1 }).items.length > 0) return true;
      await this.#letGo(crd);
    } catch (error) {
      logger.warn('the objects of a definition could not be deleted', {
        err: error,
        definition: crd.metadata.name,
      });
      return true;
    }
    return false;
  }

  /** Names of built-in kinds are never a definition's, whatever somebody wrote into its status. */
  #isBuiltIn({ spec }: CustomResourceDefinition): boolean {
    return this.#options.server.scheme.definitions.some(
      ({ ref }) => ref.group === spec.group && ref.plural === spec.names.plural,
    );
  }

  /** Namespace by namespace, where there are any. */
  async #deleteObjects({ spec }: CustomResourceDefinition, prefix: string): Promise<void> {
    const { server } = this.#options;
    const version = spec.versions.find(({ storage }) => storage)?.name ?? '';
    const { group, names, scope } = spec;
    const definition = server.scheme.byResource(group, version, names.plural);
    if (!definition) throw new Error(`${names.plural}.${group} is not served any more`);
    const keys = server.store.list(prefix).items.map(({ key }) => key);
    const within = (key: string) => key.slice(prefix.length).split('/')[0] ?? '';
    const places = new Set(keys.map((key) => (scope === 'Namespaced' ? within(key) : '')));
    for (const namespace of places) await removeCollection(this.#deletion(definition, namespace));
  }

  /**
   * Nobody is asked about it: who may delete the definition was, and webhooks and policies of a bundle may be gone already, or be
   * asked by an API server that has taken the group over. Upstream does the same.
   */
  #deletion(definition: ResourceDefinition, namespace: string): Exchange {
    const { group, version, plural: resource } = definition.ref;
    const about = { group, version, resource, namespace, name: undefined, subresource: undefined };
    return {
      request: {
        method: 'DELETE',
        path: '',
        query: new URLSearchParams(),
        headers: {},
        signal: this.#closed.signal,
      },
      user: SYSTEM,
      info: { kind: 'resource', verb: 'deletecollection', rest: [], ...about },
      definition,
      server: { ...this.#options.server, admission: NO_ADMISSION },
      warnings: [],
      annotations: new Map(),
    };
  }

  /** Takes the finalizer off; the last one takes the definition along. */
  async #letGo(crd: CustomResourceDefinition): Promise<void> {
    await this.#write(crd, (old) => {
      const finalizers = (old.metadata.finalizers ?? []).filter(
        (each) => each !== CLEANUP_FINALIZER,
      );
      const { finalizers: _, ...metadata } = old.metadata;
      if (finalizers.length === 0) return undefined;
      return { ...old, metadata: { ...metadata, finalizers } };
    });
    this.#ending.get(crd.metadata.name ?? '')?.();
  }

  /** Changes a definition, which may be gone or another one meanwhile; undefined deletes it. */
  async #write(
    { metadata }: CustomResourceDefinition,
    change: (old: LooseObject) => LooseObject | undefined,
  ): Promise<void> {
    const { registry, scheme, logger } = this.#options.server;
    const { group, version, plural } = CustomResourceDefinitions;
    const definition = scheme.byResource(group, version, plural);
    if (definition === undefined) return;
    try {
      await registry.update(
        { definition, namespace: '', name: metadata.name ?? '' },
        (old) => {
          if (old.metadata.uid !== metadata.uid) return { kind: 'keep' };
          const object = change(old);
          return object ? { kind: 'put', object } : { kind: 'delete' };
        },
        { dryRun: false },
      );
    } catch (error) {
      if (isNotFound(error) || isConflict(error) || this.#closed.signal.aborted) return;
      logger.warn('a definition could not be written', { err: error, definition: metadata.name });
    }
  }
}

/** Is the kind served in the same way? The generation counts changes of spec. */
function sameKind(a: CustomResourceDefinition, b: CustomResourceDefinition): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    a.metadata.generation === b.metadata.generation &&
    deepEqual(a.status?.acceptedNames, b.status?.acceptedNames)
  );
}

/** Objects are deleted in the version that they are stored in, be it served to others or not. */
function allServed(crd: CustomResourceDefinition): CustomResourceDefinition {
  const versions = crd.spec.versions.map((version) => ({ ...version, served: true }));
  return { ...crd, spec: { ...crd.spec, versions } };
}

/** Has the definition ever served the resource that it names? */
function isOwn({ spec, status }: CustomResourceDefinition): boolean {
  const established = isConditionTrue(status?.conditions, 'Established');
  return established && status?.acceptedNames?.plural === spec.names.plural;
}

const nameIn = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
