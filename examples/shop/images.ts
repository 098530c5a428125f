// Makes the shop's two images without a registry: a layer with this machine's Node and its libraries, shared by both,
// and a thin layer each with the service's source. Types are stripped here, so that a container starts without that work.
// Invariant: the same sources and the same Node give the same images; a second call finds them made.
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { silentLogger } from '../../base/logger.ts';
import { buildImage } from '../../kubelet/images/build.ts';
import { createImageStore } from '../../kubelet/images/image-store.ts';
import { NODE_PATH_IN_IMAGE, nodeBaseLayer } from '../../kubelet/images/node-base-layer.ts';
import type { System } from '../../system/system.ts';

/** The services, each an image `shop/NAME:1`. */
const SERVICES = ['catalog', 'payment'] as const;
const TAG = '1';
/** An ordinary user; the image's own files belong to root. */
const USER = '65534:65534';

/** Builds both images into the image store of a cluster; answers their names. */
export async function buildShopImages(options: {
  readonly system: System;
  /** The cluster's image store. */
  readonly imagesDir: string;
}): Promise<string[]> {
  const store = createImageStore({
    system: options.system,
    dir: options.imagesDir,
    logger: silentLogger,
  });
  const base = await nodeBaseLayer(options.system, process.execPath);
  const names: string[] = [];
  for (const service of SERVICES) {
    const name = `shop/${service}:${TAG}`;
    await buildImage(store, {
      name,
      layers: [
        base,
        {
          files: [
            { content: programOf('service'), target: '/app/service.mjs' },
            { content: programOf(service), target: `/app/${service}.mjs` },
          ],
        },
      ],
      config: {
        Entrypoint: [NODE_PATH_IN_IMAGE, `/app/${service}.mjs`],
        WorkingDir: '/app',
        User: USER,
      },
    });
    names.push(name);
  }
  return names;
}

/** A source of this folder as plain JavaScript, its imports pointing at what lies beside it in the image. */
function programOf(name: string): string {
  const source = readFileSync(join(import.meta.dirname, `${name}.ts`), 'utf8');
  return stripTypeScriptTypes(source).replace(/from '\.\/(\w+)\.ts'/g, "from './$1.mjs'");
}
