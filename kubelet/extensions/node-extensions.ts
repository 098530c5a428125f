// The extensions of one agent, as its parts see them: one sum of resources, one admission, one answer to what a container is given.
// Invariants: a grant is on the disk before its pod begins; a pod that is refused by one extension has nothing of the others.
import type { Pod } from '../../api/generated/types.ts';
import type { Verdict } from '../pods/pod-status.ts';
import type { PullNotes } from '../pulling/pull-access.ts';
import type {
  ContainerAdditions,
  ExtendedResource,
  Grant,
  NodeExtension,
} from './node-extension.ts';

/** Grants by pod, then by extension. */
type Grants = Map<string, Readonly<Record<string, Grant>>>;

/** All of them. */
export class NodeExtensions {
  readonly #extensions: readonly NodeExtension[];
  readonly #notes: PullNotes;
  readonly #grants: Grants;

  /** Reads what former agents have given. Throws where two extensions have one name. */
  constructor(extensions: readonly NodeExtension[], notes: PullNotes) {
    const names = extensions.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`two extensions of the node are named ${twice}`);
    this.#extensions = extensions;
    this.#notes = notes;
    this.#grants = extensions.length === 0 ? new Map() : parsed(notes.read());
    for (const [podUid, grants] of this.#grants)
      for (const extension of extensions) {
        const grant = grants[extension.name];
        if (grant) extension.restore(podUid, grant);
      }
  }

  /** What the node has by them. */
  resources(): Readonly<Record<string, ExtendedResource>> {
    return Object.assign({}, ...this.#extensions.map((each) => each.resources()));
  }

  /** Tells of changes until the signal aborts. */
  watch(changed: () => void, signal: AbortSignal): void {
    for (const extension of this.#extensions) extension.watch?.(changed, signal);
  }

  /** Takes what the pod asks for; why it is refused. A pod that has it already keeps it. */
  admit(pod: Pod): Verdict | undefined {
    const uid = pod.metadata.uid ?? '';
    if (this.#extensions.length === 0 || this.#grants.has(uid)) return undefined;
    try {
      const refusal = this.#take(pod, uid);
      if (refusal) this.#undo(uid);
      return refusal;
    } catch (error) {
      this.#undo(uid);
      return { reason: 'UnexpectedAdmissionError', message: (error as Error).message };
    }
  }

  #take(pod: Pod, uid: string): Verdict | undefined {
    const grants: Record<string, Grant> = {};
    for (const extension of this.#extensions) {
      const answer = extension.admit(pod);
      if (answer && 'refusal' in answer) return answer.refusal;
      if (answer) grants[extension.name] = answer.grant;
    }
    // That it is given nothing is kept too: nobody is asked again, whose answer may be another by then.
    this.#grants.set(uid, grants);
    this.#keep();
    return undefined;
  }

  #undo(uid: string): void {
    this.#grants.delete(uid);
    for (const extension of this.#extensions) extension.release(uid);
  }

  /** What a container of the pod is given by all of them; undefined for nothing. */
  of(podUid: string, container: string): ContainerAdditions | undefined {
    const grants = Object.values(this.#grants.get(podUid) ?? {});
    const given = grants.flatMap((grant) => grant[container] ?? []);
    if (given.length === 0) return undefined;
    return Object.assign({}, ...given, {
      devices: given.flatMap(({ devices = [] }) => devices),
      env: given.flatMap(({ env = [] }) => env),
      mounts: given.flatMap(({ mounts = [] }) => mounts),
    }) as ContainerAdditions;
  }

  /** The pod is over. */
  release(podUid: string): void {
    if (!this.#grants.delete(podUid)) return;
    for (const extension of this.#extensions) extension.release(podUid);
    this.#keep();
  }

  /** Releases what pods have that nobody knows any more. */
  tidy(known: (podUid: string) => boolean): void {
    for (const podUid of this.#grants.keys()) if (!known(podUid)) this.release(podUid);
  }

  #keep(): void {
    this.#notes.write(JSON.stringify([...this.#grants]));
  }
}

/**
 * A file that is torn or foreign is as none. Pods that were admitted before are not asked about again: what of theirs runs goes on, and
 * a container that starts later is given nothing.
 */
function parsed(text: string | undefined): Grants {
  try {
    const read: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(read) ? new Map(read as [string, Record<string, Grant>][]) : new Map();
  } catch {
    return new Map();
  }
}
