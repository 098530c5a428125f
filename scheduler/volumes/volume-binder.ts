// Chooses volumes together with the node, for claims of classes that wait for that (WaitForFirstConsumer), and sees to it that they are
// bound before their pod is. Invariant: from its choice on a volume is for one claim, and a claim for one place, though the cache does
// not show it yet.
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts';
import {
  boundTo,
  isBindCompleted,
  isFree,
  isVolumeOf,
  NO_PROVISIONER,
  SELECTED_NODE,
  storageClassOf,
  storageSize,
} from '../../api/core/volume-matching.ts';
import { PersistentVolumeClaims, PersistentVolumes, StorageClasses } from '../../api/kinds.ts';
import { matchesTerm } from '../../api/meta/node-affinity.ts';
import { keyOf } from '../../api/meta/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { InformerFactory } from '../../client/informer/informer.ts';
import type { Client } from '../../client/rest/client.ts';
import { FreeVolumes } from '../../client/volumes/free-volumes.ts';
import type { StorageView, VolumeNeeds } from './volume-needs.ts';

/** How long a pod waits for its volumes to be bound or made, as upstream; then a node is looked for again. */
export const BIND_TIMEOUT_MS = 600_000;

const CONFLICT = "node(s) didn't match PersistentVolume's node affinity";
const GONE = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';
const NONE_FREE = "node(s) didn't find available persistent volumes to bind";

/** What was chosen for one claim: a volume that is there, or that one is to be made for the node. */
interface Choice {
  readonly claim: PersistentVolumeClaim;
  readonly volume: PersistentVolume | undefined;
  readonly node: string;
  /** Another pod with the same claim has chosen, and writes it. */
  readonly isShared?: true;
}

/** What was chosen for a pod; to be bound or given back. */
export type VolumeChoices = readonly Choice[];

/** What the binder needs. */
export interface VolumeBinderParts {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
}

/** Chooses and binds. */
export class VolumeBinder implements StorageView {
  readonly #parts: VolumeBinderParts;
  readonly #free: FreeVolumes;
  /** Choices that the cache does not show yet: by claim, and the claim by its volume. */
  readonly #chosen = new Map<string, Choice>();
  readonly #taken = new Map<string, string>();
  /** Who waits for a claim to change, by its key. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(parts: VolumeBinderParts) {
    this.#parts = parts;
    const volumes = parts.informers.informer(PersistentVolumes);
    parts.informers.informer(StorageClasses);
    this.#free = new FreeVolumes(volumes);
    const shown = (volume: PersistentVolume) => {
      if (!isFree(volume)) this.#taken.delete(keyOf(volume));
    };
    volumes.subscribe({
      onUpdate: shown,
      onDelete: (volume) => this.#taken.delete(keyOf(volume)),
    });
    const changed = (claim: PersistentVolumeClaim) => this.#wake(claim);
    const claims = parts.informers.informer(PersistentVolumeClaims);
    claims.subscribe({ onUpdate: changed, onDelete: changed });
  }

  claim(namespace: string, name: string) {
    return this.#parts.informers.informer(PersistentVolumeClaims).get(`${namespace}/${name}`);
  }

  volume(name: string) {
    return this.#parts.informers.informer(PersistentVolumes).get(name);
  }

  storageClass(name: string) {
    return this.#parts.informers.informer(StorageClasses).get(name);
  }

  /** Why the node will not do for the volumes, in upstream's words; none where it will. */
  conflicts({ bound, delayed }: VolumeNeeds, node: Node): readonly string[] {
    const reasons = new Set<string>();
    for (const volume of bound)
      if (!volume) reasons.add(GONE);
      else if (!reaches(volume, node)) reasons.add(CONFLICT);
    if (delayed.length > 0 && !this.#choose(delayed, node)) reasons.add(NONE_FREE);
    return [...reasons];
  }

  /** Chooses for a node that will do, and keeps what was chosen. */
  assume({ delayed }: VolumeNeeds, node: Node): VolumeChoices {
    const choices = this.#choose(delayed, node) ?? [];
    for (const choice of choices) {
      if (choice.isShared) continue;
      this.#chosen.set(keyOf(choice.claim), choice);
      if (choice.volume) this.#taken.set(keyOf(choice.volume), keyOf(choice.claim));
    }
    return choices;
  }

  /** A volume for each claim that the node reaches, or undefined where there is none for one. The smallest claim chooses first. */
  #choose(claims: readonly PersistentVolumeClaim[], node: Node): Choice[] | undefined {
    const taken = new Set<string>();
    const choices: Choice[] = [];
    const bySize = claims.toSorted((a, b) => (storageSize(a) < storageSize(b) ? -1 : 1));
    for (const claim of bySize) {
      const choice = this.#chooseOne(claim, node, taken);
      if (!choice) return undefined;
      if (choice.volume) taken.add(keyOf(choice.volume));
      choices.push(choice);
    }
    return choices;
  }

  #chooseOne(
    claim: PersistentVolumeClaim,
    node: Node,
    taken: ReadonlySet<string>,
  ): Choice | undefined {
    const name = node.metadata.name ?? '';
    const key = keyOf(claim);
    const known = this.#chosen.get(key);
    if (known) {
      const fits = known.volume ? reaches(known.volume, node) : known.node === name;
      return fits ? { ...known, isShared: true } : undefined;
    }
    const selected = claim.metadata.annotations?.[SELECTED_NODE];
    if (selected !== undefined && selected !== name) return undefined;
    const volume = this.#free.best(claim, {
      suits: (each) =>
        reaches(each, node) &&
        !taken.has(keyOf(each)) &&
        (this.#taken.get(keyOf(each)) ?? key) === key,
    });
    return volume || this.#isMadeFor(claim, node) ? { claim, volume, node: name } : undefined;
  }

  /** Does somebody make volumes of the class, for this node too? */
  #isMadeFor(claim: PersistentVolumeClaim, { metadata }: Node): boolean {
    const { provisioner, allowedTopologies = [] } = this.storageClass(storageClassOf(claim)) ?? {};
    if (!provisioner || provisioner === NO_PROVISIONER) return false;
    if (allowedTopologies.length === 0) return true;
    return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) =>
        values.includes(metadata.labels?.[key] ?? ''),
      ),
    );
  }

  /**
   * Says on the volumes whose they are, and on the claims for which node a volume is to be made; resolves once all claims are bound.
   * Rejects where that does not come about: the claims stay as they are, and a node is to be looked for again.
   */
  async bind(choices: VolumeChoices, signal: AbortSignal): Promise<void> {
    const written = new Set<Choice>();
    try {
      for (const choice of choices) {
        await this.#write(choice, signal);
        written.add(choice);
      }
      await this.#completed(choices, signal);
    } finally {
      this.giveBack(choices, written);
    }
  }

  /** Nothing comes of the choices, or the cache shows them: volumes that were written are shown as taken by and by, and are until then. */
  giveBack(choices: VolumeChoices, written: ReadonlySet<Choice> = new Set()): void {
    for (const choice of choices) {
      const { claim, volume, isShared } = choice;
      if (isShared) continue;
      this.#chosen.delete(keyOf(claim));
      if (volume && !written.has(choice)) this.#taken.delete(keyOf(volume));
      this.#wake(claim);
    }
  }

  async #write({ claim, volume, node, isShared }: Choice, signal: AbortSignal): Promise<void> {
    if (isShared) return;
    const { client } = this.#parts;
    const { namespace, name = '', resourceVersion } = claim.metadata;
    if (volume) {
      if (isVolumeOf(volume, claim) && volume.spec?.claimRef?.uid) return;
      await client.resource(PersistentVolumes).update(boundTo(volume, claim), { signal });
      return;
    }
    if (claim.metadata.annotations?.[SELECTED_NODE] === node) return;
    const body = { metadata: { resourceVersion, annotations: { [SELECTED_NODE]: node } } };
    await client
      .resource(PersistentVolumeClaims)
      .patch({ namespace, name }, { type: 'merge', body }, { signal });
  }

  #wake(claim: PersistentVolumeClaim): void {
    for (const look of this.#waiting.get(keyOf(claim)) ?? []) look();
  }

  /** Throws where it will not come about any more. */
  #isCompleted({ claim, isShared }: Choice): boolean {
    const { namespace = '', name = '', uid } = claim.metadata;
    const now = this.claim(namespace, name);
    if (!now || now.metadata.uid !== uid || now.metadata.deletionTimestamp)
      throw new Error(`persistentvolumeclaim "${name}" went while it was being bound`);
    if (isBindCompleted(now)) return true;
    if (isShared && !this.#chosen.has(keyOf(claim)))
      throw new Error(`persistentvolumeclaim "${name}" was not bound for the pod that chose first`);
    return false;
  }

  /** Woken by changes of the claims, and by the clock at the latest. */
  async #completed(choices: VolumeChoices, signal: AbortSignal): Promise<void> {
    const done = Promise.withResolvers<void>();
    const look = () => {
      try {
        if (choices.every((choice) => this.#isCompleted(choice))) done.resolve();
      } catch (error) {
        done.reject(error as Error);
      }
    };
    const stop = () => done.reject(signal.reason as Error);
    const late = () => done.reject(new Error('its volumes were not bound in time'));
    const timer = this.#parts.clock.timer(BIND_TIMEOUT_MS, late);
    const keys = choices.map(({ claim }) => keyOf(claim));
    for (const key of keys) this.#waiting.set(key, (this.#waiting.get(key) ?? new Set()).add(look));
    signal.addEventListener('abort', stop, { once: true });
    look();
    try {
      await done.promise;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', stop);
      for (const key of keys) this.#leave(key, look);
    }
  }

  #leave(key: string, look: () => void): void {
    const waiting = this.#waiting.get(key);
    waiting?.delete(look);
    if (waiting?.size === 0) this.#waiting.delete(key);
  }
}

function reaches({ spec }: PersistentVolume, { metadata }: Node): boolean {
  const identity = { name: metadata.name ?? '', labels: metadata.labels ?? {} };
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || terms.some((term) => matchesTerm(term, identity));
}
