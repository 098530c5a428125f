// From files to what a sync wants: whole objects, each once, in the order in which they can be made.
// Invariant: pure. One thing that cannot be, and nothing of the revision is wanted: half a revision is never applied, nor the rest pruned.
import { type KubeObject, parseManifest } from 'pinnace/client';
import { type Entry, MAX_OBJECTS } from './kind.ts';
import { type ManifestFile, SourceError } from './repository.ts';

/** The label of everything that a sync applied: its uid. */
export const SYNC_LABEL = 'gitops.example.com/sync';

/** The objects of all files. Throws SourceError that names file and line. */
export function objectsIn(files: readonly ManifestFile[]): KubeObject[] {
  const objects: KubeObject[] = [];
  for (const { path, text } of files)
    for (const document of parseManifest(text, path)) {
      if (document.kind === 'broken') throw new SourceError(document.problem);
      const wrong = faultOf(document.object);
      if (wrong !== undefined) throw new SourceError(`${path}: ${document.object.kind} ${wrong}`);
      objects.push(document.object);
      if (objects.length > MAX_OBJECTS)
        throw new SourceError(`there are more than ${MAX_OBJECTS} objects; use several syncs`);
    }
  return objects
    .map((object, at) => ({ object, at }))
    .sort(byOrder)
    .map(({ object }) => object);
}

function faultOf({ metadata }: KubeObject): string | undefined {
  if (!metadata?.name)
    return 'has no metadata.name; give it one, generateName would make new ones each time';
  for (const field of ['managedFields', 'resourceVersion', 'uid'] as const)
    if (metadata[field] !== undefined)
      return `${metadata.name} has metadata.${field}, which the server gives; leave it out`;
  return undefined;
}

/** Namespaces and definitions go first; what runs once it is there, last. */
const RANKS = ['Namespace', 'CustomResourceDefinition', 'ServiceAccount', 'Role', 'ClusterRole'];
const LAST = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration', 'APIService'];

function rankOf(kind: string): number {
  const first = RANKS.indexOf(kind);
  return first >= 0 ? first : RANKS.length + LAST.indexOf(kind) + 1;
}

interface Placed {
  readonly object: KubeObject;
  readonly at: number;
}

const byOrder = (a: Placed, b: Placed): number =>
  rankOf(a.object.kind) - rankOf(b.object.kind) || a.at - b.at;

/** Entries in the order in which they go: the other way round. */
export const inOrderOfGoing = (entries: readonly Entry[]): Entry[] =>
  entries
    .map((entry, at) => ({ entry, at }))
    .sort((a, b) => rankOf(b.entry.kind) - rankOf(a.entry.kind) || b.at - a.at)
    .map(({ entry }) => entry);
