// Manifests and indexes as registries and archives hold them: OCI's, and Docker's schema 2. Pure; trusts no field of theirs.
// Invariant: what is accepted names each part by digest and size, within the limits; everything else is refused in words.
import { asRecord, BadImageError, isDigest, MAX_LAYERS, parseRecord } from './image-config.ts';
import { MAX_CONFIG_BYTES, MAX_LAYER_BYTES, MAX_MANIFEST_BYTES } from './limits.ts';
import { isFor, type Platform, platformOf, platformText } from './platform.ts';

/** A part of an image: bytes with a digest and a size. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A manifest's parts; layers bottom first. */
export interface ImageManifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An index: manifests for several platforms. */
export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly (Descriptor & { readonly platform?: Platform })[];
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
const LAYER =
  /^application\/vnd\.(oci\.image\.layer\.v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(\.gzip|\.zstd)?)$/;
const FOREIGN = /nondistributable|foreign/;

/** Media types to ask registries for. */
export const MANIFEST_TYPES: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_LIST,
  DOCKER_MANIFEST,
];

/** Most manifests of one index that are looked through. */
const MAX_INDEX_ENTRIES = 1000;

/** Reads a manifest or an index. `contentType` is what the registry called it; the document's own word counts more. */
export function parseManifest(bytes: Uint8Array, contentType?: string): ImageManifest | ImageIndex {
  const body = parseRecord(Buffer.from(bytes).toString(), 'image manifest');
  const mediaType = typeOf(body, contentType);
  if (SCHEMA_1.test(mediaType) || body['schemaVersion'] === 1)
    throw new BadImageError(
      'the manifest is of Docker schema 1, which has no content digests; push the image again with a current tool',
    );
  // A document that is both could be read in two ways under one digest.
  if (body['manifests'] !== undefined && body['layers'] !== undefined)
    throw new BadImageError('the manifest is an index and a manifest at once');
  if ([OCI_INDEX, DOCKER_LIST].includes(mediaType)) return readIndex(body, mediaType);
  if ([OCI_MANIFEST, DOCKER_MANIFEST].includes(mediaType)) return readManifest(body, mediaType);
  throw new BadImageError(`the manifest is of the unknown type ${shown(mediaType)}`);
}

function typeOf(body: Readonly<Record<string, unknown>>, contentType = ''): string {
  if (typeof body['mediaType'] === 'string') return body['mediaType'];
  const told = contentType.split(';')[0]?.trim() ?? '';
  if (MANIFEST_TYPES.includes(told) || SCHEMA_1.test(told)) return told;
  return Array.isArray(body['manifests']) ? OCI_INDEX : OCI_MANIFEST;
}

function readIndex(body: Readonly<Record<string, unknown>>, mediaType: string): ImageIndex {
  const raw = body['manifests'];
  if (!Array.isArray(raw)) throw new BadImageError('the image index lists no manifests');
  if (raw.length > MAX_INDEX_ENTRIES)
    throw new BadImageError(`the image index has more than ${MAX_INDEX_ENTRIES} manifests`);
  const manifests = raw.map((entry: unknown) => {
    const platform = platformOf(asRecord(entry)?.['platform']);
    const descriptor = descriptorOf(entry, 'manifest', MAX_MANIFEST_BYTES);
    return { ...descriptor, ...(platform && { platform }) };
  });
  return { kind: 'index', mediaType, manifests };
}

function readManifest(body: Readonly<Record<string, unknown>>, mediaType: string): ImageManifest {
  const config = descriptorOf(body['config'], 'configuration', MAX_CONFIG_BYTES);
  if (config.mediaType !== OCI_CONFIG && config.mediaType !== DOCKER_CONFIG)
    throw new BadImageError(
      `it is no image: its configuration is of the type ${shown(config.mediaType)}`,
    );
  const raw = body['layers'];
  if (!Array.isArray(raw)) throw new BadImageError('the image manifest lists no layers');
  if (raw.length > MAX_LAYERS)
    throw new BadImageError(`the image has ${raw.length} layers; at most ${MAX_LAYERS} work`);
  const layers = raw.map((entry: unknown) => {
    const layer = descriptorOf(entry, 'layer', MAX_LAYER_BYTES);
    if (FOREIGN.test(layer.mediaType))
      throw new BadImageError(`the layer ${layer.digest} is foreign: registries do not hold it`);
    if (!LAYER.test(layer.mediaType))
      throw new BadImageError(`a layer is of the unknown type ${shown(layer.mediaType)}`);
    return layer;
  });
  return { kind: 'manifest', mediaType, config, layers };
}

function descriptorOf(value: unknown, what: string, maxBytes: number): Descriptor {
  const { digest, size, mediaType } = asRecord(value) ?? {};
  if (!isDigest(digest)) throw new BadImageError(`a ${what} has no sha256 digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new BadImageError(`the ${what} ${digest} has no size`);
  if (size > maxBytes)
    throw new BadImageError(
      `the ${what} ${digest} is of ${size} bytes; at most ${maxBytes} are taken`,
    );
  return { digest, size, mediaType: typeof mediaType === 'string' ? mediaType : '' };
}

/** The manifest for a platform. Throws BadImageError that lists what there is. */
export function manifestFor(index: ImageIndex, wanted: Platform): Descriptor {
  const known = index.manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const found = known.find(({ platform }) => platform && isFor(platform, wanted));
  const silent = known.filter(({ platform }) => platform === undefined);
  const only = known.length === 1 && silent.length === 1 ? silent[0] : undefined;
  const chosen = found ?? only;
  if (chosen) return chosen;
  const there = known.flatMap(({ platform }) => (platform ? platformText(platform) : []));
  const list = [...new Set(there)].sort().slice(0, 20).join(', ') || 'no platform';
  throw new BadImageError(`there is no image for ${platformText(wanted)}; it is for ${list}`);
}

/** What others wrote, for a message: short, and nothing that a terminal would act on. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
