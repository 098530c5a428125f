// Limits of images: what one may hold, and what may be taken for it. Every one is told by name when it is met.
// Invariant: sizes that others state are never believed beyond these.

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** A manifest or an index, as the distribution specification advises. */
export const MAX_MANIFEST_BYTES = 4 * MIB;
/** An image's configuration. */
export const MAX_CONFIG_BYTES = 8 * MIB;
/** One compressed layer. */
export const MAX_LAYER_BYTES = 64 * GIB;
/** Files, links and directories of one layer. */
export const MAX_LAYER_MEMBERS = 2_000_000;
/** Bytes of names that are kept while a layer is read: links that lead outward, and names that it hides. */
export const MAX_NAME_MEMORY_BYTES = 32 * MIB;
/** Window of a zstd stream: the memory that unpacking it takes. As powers of two. */
export const MAX_ZSTD_WINDOW_LOG = 25;

/** Limits that a node's owner may set (`limits` in registries.json). */
export interface UnpackLimits {
  /** Bytes that one layer may unpack to. */
  readonly unpackedLayerBytes: number;
  /** How many times larger than its compressed form a layer may become, once it is larger than `bombFloorBytes`. */
  readonly bombRatio: number;
  readonly bombFloorBytes: number;
  /** Bytes that stay free on the images' file system, whatever is pulled. */
  readonly reservedBytes: number;
}

/** What holds unless set. */
export const UNPACK_LIMITS: UnpackLimits = {
  unpackedLayerBytes: 64 * GIB,
  bombRatio: 200,
  bombFloorBytes: 256 * MIB,
  reservedBytes: 256 * MIB,
};
