// Pulls of images from registries that misbehave: a registry and a store for each, and what a refused pull says.
// Invariant: a refused pull leaves nothing; `afterEach(endPulls)` ends what a test began.
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import type { RegistryPatience } from '../../kubelet/images/registry/exchange.ts';
import {
  type HostileImage,
  hostileRegistry,
  type HostileRegistry,
  type Misbehaviour,
} from './hostile-registry.ts';
import { type ImageScene, imageScene, layerTar } from './image-scene.ts';

/** For pulls that nobody gives up. */
export const { signal } = new AbortController();
/** What is to be done at the end of a test. */
export const ended: (() => void | Promise<void>)[] = [];
/** Does it. */
export async function endPulls(): Promise<void> {
  for (const end of ended.splice(0)) await end();
}

/** An image, and how its registry misbehaves. */
export interface Case {
  readonly image?: HostileImage;
  readonly misbehave?: Misbehaviour;
  readonly settings?: object;
  readonly patience?: Partial<RegistryPatience>;
}

/** A layer that nothing is wrong with. */
export const good = () => layerTar([{ name: 'file', content: 'x'.repeat(100_000) }]);

/** A registry that has the image, and a store that may pull it. */
export async function set({
  image,
  misbehave,
  settings,
  patience,
}: Case): Promise<{ registry: HostileRegistry; scene: ImageScene }> {
  const registry = await hostileRegistry(image ?? { layers: [await good()] }, misbehave);
  const scene = imageScene(settings, patience);
  ended.push(
    () => registry.stop(),
    () => scene.dispose(),
  );
  return { registry, scene };
}

/** What a pull of it says; nothing is left of it. */
export async function refusal(parts: Case): Promise<{ reason: string; message: string }> {
  const { registry, scene } = await set(parts);
  const failure = await scene.store.pull(registry.name, { signal })?.then(
    () => ({ reason: 'none', message: 'it was pulled' }),
    (error: unknown) => error as { reason: string; message: string },
  );
  expect(scene.left()).toEqual([]);
  expect(readdirSync(scene.store.layers.directory)).toEqual([]);
  return failure ?? { reason: 'none', message: 'nowhere to pull from' };
}

/** Is a blob asked for? */
export const isBlob = ({ url = '' }: IncomingMessage) => url.includes('/blobs/');
/** Answers with a status instead. */
export const answer =
  (status: number, headers: Record<string, string> = {}): Misbehaviour =>
  (_, response) => {
    response.writeHead(status, headers).end('{}');
    return false;
  };
