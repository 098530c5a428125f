// The door to git: what the operator asks of a repository, so that tests and simulation may have one in memory.
// Invariant: a revision's files never change, so whoever has read them need not ask again.

/** Bytes of manifests in one folder at most. */
export const MAX_BYTES = 8 << 20;
/** Manifests in one folder at most. */
export const MAX_FILES = 1000;

/** A file of manifests. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** Repositories by their paths. */
export interface Repositories {
  /** The commit that `ref` names now. Throws SourceError. */
  revisionOf(path: string, ref: string, signal: AbortSignal): Promise<string>;
  /** The manifests in and below a folder at a commit, in the order of their paths. Throws SourceError. */
  filesOf(
    path: string,
    at: { readonly revision: string; readonly folder: string },
    signal: AbortSignal,
  ): Promise<readonly ManifestFile[]>;
}

/** What is in the repository cannot be applied: why, and what to do. Nothing is applied or deleted then. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
}

/** Is it a file of manifests? */
export const isManifest = (path: string): boolean => /\.(ya?ml|json)$/.test(path);
