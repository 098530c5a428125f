// ManifestFiles: where a node finds the pods that it runs without being asked. disk-manifests.ts reads a directory of the host,
// host/memory/memory-manifests.ts what is played.
// Invariant: whatever is read is whole as it was at some moment, and bounded.

/** Larger files are not read, as upstream. */
export const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;
/** So many files are read at most, the first by their names. */
export const MAX_MANIFESTS = 500;

/** A file's text, or why it cannot be used. */
export type ManifestText = { readonly text: string } | { readonly problem: string };

/** The manifests of a node. */
export interface ManifestFiles {
  /** By name; nothing where there is no such directory. Names that begin with a dot are passed over. */
  read(directory: string): Promise<ReadonlyMap<string, ManifestText>>;
  /** Calls back when something in the directory may be another thing, or the directory has come, until the signal aborts. */
  watch(directory: string, onChange: () => void, signal: AbortSignal): void;
}
