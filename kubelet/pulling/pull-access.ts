// Which pods may use an image that is present (KEP-2535): one that this node pulled with a pull secret is for pods that bring the
// same credentials; others ask the registry themselves. What nobody pulled here by that name (loaded, built) is for all, upstream's policy
// NeverVerifyPreloadedImages.
// Invariants: credentials are kept as digests only; a note is written before the pod that caused it runs; where notes are broken,
// what came from a registry is asked for once more, and never free.
import { createHash } from 'node:crypto';
import { parseImageName } from '../images/image-name.ts';
import type { ImageInfo, RegistryCredential } from '../runtime/runtime.ts';
import { isNamedByHand } from './image-ref.ts';

/** Digests of credentials kept for one repository of one image; the oldest goes first. */
export const MAX_KEPT_CREDENTIALS = 100;

/** Where notes are kept through the agent's death. */
export interface PullNotes {
  /** What was written last; undefined when nothing was. */
  read(): string | undefined;
  /** Readers see the old text or the new one, never a part. */
  write(text: string): void;
}

/** Notes that end with the process. */
export function notesInMemory(): PullNotes {
  let kept: string | undefined;
  return {
    read: () => kept,
    write: (text) => {
      kept = text;
    },
  };
}

/** How a repository's image was pulled: by anybody, or with the credentials of these digests. */
type Access = 'all' | readonly string[];

interface Notes {
  /** By image id, and there by repository. */
  readonly pulled: Record<string, Record<string, Access>>;
  /** Names whose pull has begun and whose image is not known yet. */
  readonly intents: readonly string[];
  /** Earlier ones were broken: what came from a registry and has no note is asked for. */
  readonly lost?: boolean;
}

/** A digest of all credentials that a pod brings; '' for none. */
export function fingerprintOf(credentials: readonly RegistryCredential[]): string {
  if (credentials.length === 0) return '';
  const fields = credentials.map(({ username, password, identityToken, registryToken }) => [
    username,
    password,
    identityToken,
    registryToken,
  ]);
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

/** The notes of one node. */
export class PullAccess {
  readonly #notes: PullNotes;
  readonly #pulled: Map<string, Map<string, Access>>;
  readonly #intents: Set<string>;
  readonly #lost: boolean;

  constructor(notes: PullNotes) {
    this.#notes = notes;
    const { pulled, intents, lost = false } = parsed(notes.read());
    this.#lost = lost;
    this.#pulled = new Map(
      Object.entries(pulled).map(([id, by]) => [id, new Map(Object.entries(by))]),
    );
    this.#intents = new Set(intents);
  }

  /** Does it depend on a pod's credentials whether it may use the image? */
  isGuarded(asked: string, image: ImageInfo): boolean {
    const known = this.#pulled.get(image.id);
    if (!known) return this.#intents.has(asked) || (this.#lost && image.repoDigests.length > 0);
    const access = known.get(repositoryOf(asked));
    return access === undefined ? !isNamedByHand(image, asked) : access !== 'all';
  }

  /** May a pod with these credentials use the image without asking the registry? */
  mayUse(asked: string, image: ImageInfo, fingerprint: string): boolean {
    if (!this.isGuarded(asked, image)) return true;
    const access = this.#pulled.get(image.id)?.get(repositoryOf(asked));
    return access !== undefined && access !== 'all' && access.includes(fingerprint);
  }

  /** A pull begins: an image that it leaves behind when the agent dies is not taken for a loaded one. */
  begun(asked: string): void {
    if (this.#intents.has(asked)) return;
    this.#intents.add(asked);
    this.#write();
  }

  /** A pull has ended without an image. */
  failed(asked: string): void {
    if (this.#intents.delete(asked)) this.#write();
  }

  /** The image was pulled with these credentials; '' for none of a pod's own. */
  pulled(asked: string, image: ImageInfo, fingerprint: string): void {
    const repository = repositoryOf(asked);
    const known = this.#pulled.get(image.id) ?? new Map<string, Access>();
    known.set(repository, widened(known.get(repository), fingerprint));
    this.#pulled.set(image.id, known);
    this.#intents.delete(asked);
    this.#write();
  }

  /** Notes of images that are not here any more are of no use. */
  keepOnly(ids: ReadonlySet<string>): void {
    const gone = [...this.#pulled.keys()].filter((id) => !ids.has(id));
    for (const id of gone) this.#pulled.delete(id);
    if (gone.length > 0) this.#write();
  }

  #write(): void {
    const pulled = Object.fromEntries(
      [...this.#pulled].map(([id, by]) => [id, Object.fromEntries(by)]),
    );
    const rest = { intents: [...this.#intents], ...(this.#lost && { lost: true }) };
    this.#notes.write(JSON.stringify({ pulled, ...rest } satisfies Notes));
  }
}

function widened(known: Access | undefined, fingerprint: string): Access {
  if (fingerprint === '' || known === 'all') return 'all';
  const others = (known ?? []).filter((each) => each !== fingerprint);
  return [...others, fingerprint].slice(-MAX_KEPT_CREDENTIALS);
}

function parsed(text: string | undefined): Notes {
  const none: Notes = { pulled: {}, intents: [] };
  if (text === undefined) return none;
  try {
    const { pulled, intents, lost } = JSON.parse(text) as Notes;
    // Throws for another shape, as the parser does for half a text.
    return {
      pulled: Object.fromEntries(Object.entries(pulled)),
      intents: [...intents],
      lost: lost === true,
    };
  } catch {
    return { ...none, lost: true };
  }
}

const repositoryOf = (asked: string): string => parseImageName(asked)?.repository ?? asked;
