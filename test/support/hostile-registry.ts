// A registry on loopback that holds one image, and misbehaves as a test wants it to.
// Invariant: without a wish it is a right registry: manifests by tag and digest, blobs with ranges.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { hostArchitecture } from '../../kubelet/images/image-config.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../kubelet/images/manifest.ts';

/** `sha256:…`. */
export const sha = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What is at fault with the image. */
export interface HostileImage {
  /** Tars, bottom first. */
  readonly layers: readonly Buffer[];
  readonly compress?: (tar: Buffer) => Buffer;
  readonly diffIds?: readonly string[];
  readonly config?: object;
  readonly manifest?: object;
  /** Sizes of layers that the manifest tells. */
  readonly sizes?: readonly number[];
  /** Served under digests of others. */
  readonly swap?: (digest: string, bytes: Buffer) => Buffer;
}

/** Answers a request itself, or lets the registry do so by `true`. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry that runs. */
export interface HostileRegistry {
  readonly host: string;
  /** The image's name with its tag. */
  readonly name: string;
  readonly digest: string;
  /** `GET /v2/…`, in the order of their arrival. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

/** Serves the image. */
export async function hostileRegistry(
  image: HostileImage,
  misbehave: Misbehaviour = () => true,
): Promise<HostileRegistry> {
  const { blobs, manifest } = partsOf(image);
  const requests: string[] = [];
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    if (!misbehave(request, response)) return;
    const [, kind, reference = ''] = /\/(manifests|blobs)\/(.*)$/.exec(request.url ?? '') ?? [];
    const bytes = kind === 'manifests' ? manifest : blobs.get(reference);
    if (!bytes) {
      response.writeHead(404).end('{}');
      return;
    }
    const type = kind === 'manifests' ? OCI_MANIFEST : 'application/octet-stream';
    sendRange(request, response, { bytes: image.swap?.(reference, bytes) ?? bytes, type });
  };
  const server = createServer(serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { host, name: `${host}/bad/image:1`, digest: sha(manifest), requests, stop };
}

function partsOf(image: HostileImage): { blobs: Map<string, Buffer>; manifest: Buffer } {
  const blobs = new Map<string, Buffer>();
  const blob = (bytes: Buffer, mediaType: string) => {
    blobs.set(sha(bytes), bytes);
    return { mediaType, digest: sha(bytes), size: bytes.length };
  };
  const compress = image.compress ?? gzipSync;
  const layers = image.layers.map((tar, i) => {
    const descriptor = blob(compress(tar), `${OCI_LAYER}+gzip`);
    return { ...descriptor, size: image.sizes?.[i] ?? descriptor.size };
  });
  const config = {
    os: 'linux',
    architecture: hostArchitecture(),
    config: {},
    rootfs: { type: 'layers', diff_ids: image.diffIds ?? image.layers.map(sha) },
    ...image.config,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: blob(Buffer.from(JSON.stringify(config)), OCI_CONFIG),
    layers,
    ...image.manifest,
  };
  return { blobs, manifest: Buffer.from(JSON.stringify(manifest)) };
}

function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  { bytes, type }: { bytes: Buffer; type: string },
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(from > 0 ? 206 : 200, {
    'content-type': type,
    'content-length': bytes.length - from,
    ...(from > 0 && range),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from));
}
