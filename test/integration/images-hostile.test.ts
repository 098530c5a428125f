// Blobs and manifests that lie, break off or go on for ever: each is refused with its reason, and nothing is left.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Misbehaviour, sha } from '../support/hostile-registry.ts';
import { layerTar } from '../support/image-scene.ts';
import { endPulls, good, isBlob, refusal, set, signal } from '../support/hostile-image.ts';

afterEach(endPulls);

describe('a blob', () => {
  it('that was changed is refused', async () => {
    const swap = (_: string, bytes: Buffer) =>
      bytes[0] === 0x1f ? Buffer.from(bytes).fill(0, 30, 40) : bytes;
    const { reason, message } = await refusal({ image: { layers: [await good()], swap } });
    expect(reason).toBe('ErrImagePull');
    expect(message).toMatch(/a blob does not have the digest sha256:/);
  });

  it('that is a configuration under another digest is refused', async () => {
    const swap = (_: string, bytes: Buffer) =>
      bytes.includes('diff_ids') ? Buffer.from(bytes.toString().replace('linux', 'linus')) : bytes;
    const { message } = await refusal({ image: { layers: [await good()], swap } });
    expect(message).toMatch(/a blob does not have the digest/);
  });

  it('of another size than its manifest tells is refused before it is fetched', async () => {
    const { message } = await refusal({ image: { layers: [await good()], sizes: [5] } });
    expect(message).toMatch(/\d+ bytes of sha256:\w+ are offered, 5 are missing by its manifest/);
  });

  it('that goes on past its size is refused', async () => {
    const endless: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
      return false;
    };
    const { message } = await refusal({ misbehave: endless });
    expect(message).toMatch(/is larger than the \d+ bytes of its manifest/);
  });

  it('whose content is not what its configuration tells is refused', async () => {
    const diffIds = [sha('something else')];
    const { message } = await refusal({ image: { layers: [await good()], diffIds } });
    expect(message).toMatch(/layer sha256:\w+: a layer's content does not have the digest/);
  });

  it('that is cut off is continued where it ended', async () => {
    const layer = await layerTar([
      { name: 'a', content: Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i) % 253)) },
    ]);
    const image = { layers: [layer], compress: (tar: Buffer) => tar };
    let cuts = 0;
    const cutting: Misbehaviour = (request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      if (!(request.url ?? '').endsWith(sha(layer)) || cuts++ > 3) return true;
      const left = layer.length - from;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-length': left,
        ...(from > 0 && { 'content-range': `bytes ${from}-${layer.length - 1}/${layer.length}` }),
      });
      response.write(layer.subarray(from, from + 30_000), () => response.destroy());
      return false;
    };
    const { registry, scene } = await set({ image, misbehave: cutting });
    const pulled = await scene.store.pull(registry.name, { signal });
    expect(pulled?.names).toEqual([registry.name]);
    expect(cuts).toBeGreaterThan(3);
  });

  it('that ends early each time is given up', async () => {
    const short: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).flushHeaders();
      response.destroy();
      return false;
    };
    const { reason, message } = await refusal({ misbehave: short });
    expect(reason).toBe('RegistryUnavailable');
    expect(message).toMatch(/cut, after 0 of \d+ bytes of sha256:/);
  });

  it('that stalls is given up', async () => {
    const stalling: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).write('x');
      return false;
    };
    const { reason, message } = await refusal({ misbehave: stalling, patience: { stallMs: 100 } });
    expect(reason).toBe('RegistryUnavailable');
    expect(message).toMatch(/said nothing within 100 ms/);
  });
});

describe('a manifest', () => {
  it.each([
    [
      'without end',
      (_: IncomingMessage, response: ServerResponse) => void response.write(Buffer.alloc(2 ** 23)),
      /the manifest is larger than 4194304 bytes/,
    ],
    [
      'that is not JSON',
      (_: IncomingMessage, response: ServerResponse) => void response.end('<html>'),
      /not JSON/,
    ],
    [
      'of schema 1',
      (_: IncomingMessage, response: ServerResponse) => void response.end('{"schemaVersion":1}'),
      /Docker schema 1/,
    ],
    [
      'under another digest',
      (_: IncomingMessage, response: ServerResponse) =>
        void response.setHeader('docker-content-digest', sha('x')).end('{"schemaVersion":2}'),
      /does not have the digest/,
    ],
    ['that never comes', () => undefined, /said nothing within 300 ms/],
  ])('%s is refused', async (_, act, message) => {
    const misbehave: Misbehaviour = (request, response) => {
      act(request, response);
      return false;
    };
    expect((await refusal({ misbehave, patience: { stallMs: 300 } })).message).toMatch(message);
  });

  it.each([
    [
      'an artifact',
      { config: { mediaType: 'application/wasm', digest: sha('a'), size: 1 } },
      /it is no image/,
    ],
    [
      'foreign layers',
      {
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
            digest: sha('a'),
            size: 1,
          },
        ],
      },
      /is foreign/,
    ],
    ['too many layers', { layers: Array.from({ length: 129 }, () => ({})) }, /129 layers; at most/],
    ['two forms at once', { manifests: [] }, /an index and a manifest at once/],
    [
      'a negative size',
      { layers: [{ mediaType: 'x', digest: sha('a'), size: -1 }] },
      /has no size/,
    ],
    [
      'another digest than sha256',
      { layers: [{ mediaType: 'x', digest: 'md5:0', size: 1 }] },
      /no sha256 digest/,
    ],
    [
      'more than fits on the disk',
      {
        layers: [
          { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha('a'), size: 2 ** 35 },
        ],
      },
      /bytes to fetch, and the disk has \d+ left/,
    ],
  ])('of %s is refused', async (_, manifest, message) => {
    const settings = { limits: { reservedBytes: Number.MAX_SAFE_INTEGER } };
    expect((await refusal({ image: { layers: [], manifest }, settings })).message).toMatch(message);
  });

  it('for other platforms only tells which', async () => {
    const entry = (architecture: string) => ({
      digest: sha(architecture),
      size: 1,
      mediaType: '',
      platform: { os: 'linux', architecture },
    });
    const index = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: [entry('s390x'), entry('riscv64')],
    };
    const misbehave: Misbehaviour = (_, response) => {
      response.end(JSON.stringify(index));
      return false;
    };
    const { message } = await refusal({ misbehave });
    expect(message).toMatch(
      /there is no image for linux\/\w+; it is for linux\/riscv64, linux\/s390x/,
    );
  });
});
