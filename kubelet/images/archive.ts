// Reads an image archive that has been unpacked into a directory: an OCI layout or what `docker save` writes.
// Invariants: a file is used only if it lies inside the directory and has the digest by which it was named.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import {
  asRecord,
  BadImageError,
  hostArchitecture,
  type ImageConfig,
  isDigest,
  parseImageConfig,
  parseRecord,
} from './image-config.ts';
import { compressionOf } from './compression.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, parseManifest } from './manifest.ts';

/** One image of an archive. */
export interface ArchivedImage {
  /** As the archive spells them; may be empty. */
  readonly names: readonly string[];
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  /** Bottom first. `digest` is that of the file, when the archive tells it. */
  readonly layers: readonly ArchivedLayer[];
  /** The manifest as it came, where the archive has one that can be pushed again. */
  readonly manifestBytes?: Uint8Array;
}

/** An image whose layers have been read through. */
export interface CheckedImage extends ArchivedImage {
  readonly layers: readonly CheckedLayer[];
}

/** A layer whose digest and compression are known. */
export interface CheckedLayer extends ArchivedLayer {
  readonly digest: string;
  readonly mediaType: string;
}

/** A layer of an archive. */
export interface ArchivedLayer {
  readonly file: string;
  readonly sizeBytes: number;
  /** Of the file; checked where it is told. */
  readonly digest: string | undefined;
  readonly diffId: string;
}

/** Manifests, indexes and configurations are small; a larger one is an attack or a mistake. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MAX_INDEX_DEPTH = 3;

/** The images for this host. Throws BadImageError when the archive is none, or a digest is wrong. */
export async function readArchive(directory: string): Promise<readonly CheckedImage[]> {
  // What has both is read as a layout: only that has the manifests under which the images can be pushed again.
  const images = existsSync(join(directory, 'index.json'))
    ? readOciLayout(directory)
    : readDockerArchive(directory);
  if (images.length === 0)
    throw new BadImageError(`the archive holds no image for linux/${hostArchitecture()}`);
  const checked: CheckedImage[] = [];
  for (const image of images) {
    const layers: CheckedLayer[] = [];
    for (const layer of image.layers) layers.push(await checkedLayer(layer));
    checked.push({ ...image, layers });
  }
  return checked;
}

function readDockerArchive(directory: string): ArchivedImage[] {
  if (!existsSync(join(directory, 'manifest.json')))
    throw new BadImageError('the file is no image archive: it has no index.json or manifest.json');
  const text = document(directory, 'manifest.json').toString();
  const entries = parseRecord(`{"entries":${text}}`, 'manifest.json')['entries'];
  if (!Array.isArray(entries)) throw new BadImageError('manifest.json is not a list');
  return entries.map((entry: unknown) => {
    const { Config: configName, Layers: layers, RepoTags: tags } = asRecord(entry) ?? {};
    if (typeof configName !== 'string' || !isTexts(layers))
      throw new BadImageError('manifest.json lacks Config or Layers');
    const configBytes = document(directory, configName);
    const hex = /([0-9a-f]{64})(\.json)?$/.exec(configName)?.[1];
    if (hex !== undefined) verify(configBytes, `sha256:${hex}`, 'the image configuration');
    const config = parseImageConfig(configBytes.toString());
    const files = layers.map((name) => inside(directory, name));
    const named = files.map((file) => layerFile(file, undefined));
    return assemble(isTexts(tags) ? tags : [], { config, configBytes }, named);
  });
}

function readOciLayout(directory: string): ArchivedImage[] {
  return readIndex(directory, document(directory, 'index.json'), 0);
}

function readIndex(directory: string, bytes: Buffer, depth: number): ArchivedImage[] {
  const manifests = parseRecord(bytes.toString(), 'image index')['manifests'];
  if (!Array.isArray(manifests)) throw new BadImageError('the image index lists no manifests');
  return manifests.flatMap((raw: unknown) => {
    const descriptor = asRecord(raw) ?? {};
    if (!isForHost(descriptor)) return [];
    const blob = blobOf(directory, descriptor);
    const content = verify(document(directory, blob.path), blob.digest, 'a manifest');
    const body = parseRecord(content.toString(), 'image manifest');
    const names = namesOf(descriptor);
    if (Array.isArray(body['manifests'])) {
      if (depth >= MAX_INDEX_DEPTH) throw new BadImageError('the image index is nested too deep');
      const nested = readIndex(directory, content, depth + 1);
      return nested.map((image) => ({ ...image, names: [...names, ...image.names] }));
    }
    return [{ ...readManifest(directory, body, names), ...pushable(content) }];
  });
}

/** Attestations and images for other platforms are passed over. */
function isForHost(descriptor: Readonly<Record<string, unknown>>): boolean {
  const platform = asRecord(descriptor['platform']);
  if (!platform) return true;
  return platform['os'] === 'linux' && platform['architecture'] === hostArchitecture();
}

function namesOf(descriptor: Readonly<Record<string, unknown>>): string[] {
  const annotations = asRecord(descriptor['annotations']) ?? {};
  const name =
    annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
  // A bare tag such as `latest` names no repository.
  return typeof name === 'string' && /[/:]/.test(name) ? [name] : [];
}

function readManifest(
  directory: string,
  manifest: Readonly<Record<string, unknown>>,
  names: readonly string[],
): ArchivedImage {
  const configBlob = blobOf(directory, asRecord(manifest['config']) ?? {});
  const configBytes = verify(
    document(directory, configBlob.path),
    configBlob.digest,
    'the image configuration',
  );
  const layers = manifest['layers'];
  if (!Array.isArray(layers)) throw new BadImageError('the image manifest lists no layers');
  const files = layers.map((raw: unknown) => {
    const blob = blobOf(directory, asRecord(raw) ?? {});
    return layerFile(inside(directory, blob.path), blob.digest);
  });
  const config = parseImageConfig(configBytes.toString());
  return assemble(names, { config, configBytes }, files);
}

function assemble(
  names: readonly string[],
  configuration: { config: ImageConfig; configBytes: Uint8Array },
  files: readonly Omit<ArchivedLayer, 'diffId'>[],
): ArchivedImage {
  const diffIds = configuration.config.rootfs.diff_ids;
  if (files.length !== diffIds.length)
    throw new BadImageError(
      `the manifest lists ${files.length} layers, the configuration ${diffIds.length}`,
    );
  const layers = files.map((file, index) => ({ ...file, diffId: diffIds[index] ?? '' }));
  return { names, ...configuration, layers };
}

function layerFile(file: string, digest: string | undefined): Omit<ArchivedLayer, 'diffId'> {
  return { file, digest, sizeBytes: statSync(file).size };
}

/** Archives are looser than registries: an image whose manifest no registry would take can be run, but not pushed as it came. */
function pushable(content: Buffer): { manifestBytes?: Uint8Array } {
  try {
    return parseManifest(content).kind === 'manifest' ? { manifestBytes: content } : {};
  } catch (error) {
    if (error instanceof BadImageError) return {};
    throw error;
  }
}

/** Layers may be large: they are read as streams. Throws where one has another digest than was told. */
async function checkedLayer(layer: ArchivedLayer): Promise<CheckedLayer> {
  const { file, digest } = layer;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  const found = `sha256:${hash.digest('hex')}`;
  if (digest !== undefined && digest !== found)
    throw new BadImageError(`a layer does not have the digest ${digest}`);
  const compression = await compressionOf(file);
  const mediaType = compression === undefined ? OCI_LAYER : `${OCI_LAYER}+${compression}`;
  return { ...layer, digest: found, mediaType };
}

/** The manifest of an image that came without one that can be pushed. The same archive gives the same one each time. */
export function manifestFrom(image: CheckedImage): Uint8Array {
  const layers = image.layers.map(({ mediaType, digest, sizeBytes }) => ({
    mediaType,
    digest,
    size: sizeBytes,
  }));
  const { configBytes } = image;
  const digest = `sha256:${createHash('sha256').update(configBytes).digest('hex')}`;
  const config = { mediaType: OCI_CONFIG, digest, size: configBytes.length };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers };
  return Buffer.from(JSON.stringify(manifest));
}

function blobOf(
  directory: string,
  descriptor: Readonly<Record<string, unknown>>,
): { path: string; digest: string } {
  const digest = descriptor['digest'];
  if (!isDigest(digest)) throw new BadImageError('a descriptor has no sha256 digest');
  const path = join('blobs', 'sha256', digest.slice('sha256:'.length));
  if (!existsSync(join(directory, path)))
    throw new BadImageError(`the archive lacks the blob ${digest}`);
  return { path, digest };
}

function verify(bytes: Buffer, digest: string, what: string): Buffer {
  if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest)
    throw new BadImageError(`${what} does not have the digest ${digest}`);
  return bytes;
}

function document(directory: string, name: string): Buffer {
  const path = inside(directory, name);
  if (statSync(path).size > MAX_DOCUMENT_BYTES)
    throw new BadImageError(`${name} is larger than ${MAX_DOCUMENT_BYTES} bytes`);
  return readFileSync(path);
}

/** The real path of a file of the archive; older archives hold links between layers, which must stay inside. */
function inside(directory: string, name: string): string {
  const root = realpathSync(directory);
  const path = join(root, name);
  if (!path.startsWith(root + sep)) throw new BadImageError(`the name ${name} leaves the archive`);
  let real: string;
  try {
    real = realpathSync(path);
  } catch {
    throw new BadImageError(`the archive lacks ${name}`);
  }
  if (!real.startsWith(root + sep) || !statSync(real).isFile())
    throw new BadImageError(`${name} is no file of the archive`);
  return real;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
