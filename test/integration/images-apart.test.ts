// Pulls in a process beside the agent's: the agent does not grow with a layer, and outlives that process.
import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import type { PullProgress } from '../../kubelet/runtime/runtime.ts';
import {
  type HostileRegistry,
  hostileRegistry,
  type Misbehaviour,
} from '../support/hostile-registry.ts';
import { type ImageScene, imageScene, layerTar } from '../support/image-scene.ts';
import { until } from '../support/until.ts';

const ended: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end();
});

const { signal } = new AbortController();
/** Begins each blob and never ends it, as long as `stalling()` says so. */
const stall =
  (stalling: () => boolean): Misbehaviour =>
  (request, response) => {
    if (!stalling() || !(request.url ?? '').includes('/blobs/')) return true;
    response.writeHead(200).write('x');
    return false;
  };

async function set(
  misbehave?: Misbehaviour,
): Promise<{ registry: HostileRegistry; scene: ImageScene }> {
  const layers = [await layerTar([{ name: 'file', content: 'x'.repeat(100_000) }])];
  const registry = await hostileRegistry({ layers }, misbehave);
  const scene = imageScene();
  ended.push(
    () => registry.stop(),
    () => scene.dispose(),
  );
  return { registry, scene };
}

const apartOf = (scene: ImageScene) => {
  const store = scene.apart();
  ended.push(() => store.apart.close());
  return store;
};
const isAlive = (pid: number) => {
  try {
    return (
      execFileSync('ps', ['-o', 'stat=', '-p', String(pid)])
        .toString()
        .trim() !== 'Z'
    );
  } catch {
    return false;
  }
};

describe('a pull apart', () => {
  it('brings the image, tells progress, and says what cannot be brought', async () => {
    const { registry, scene } = await set();
    const store = apartOf(scene);
    const progress: PullProgress[] = [];
    const pulled = await store.pull(registry.name, {
      signal,
      onProgress: (each) => progress.push(each),
    });
    expect(pulled).toMatchObject({ names: [registry.name] });
    expect((await store.resolve(registry.name))?.id).toBe(pulled?.id);
    expect(progress.at(-1)).toMatchObject({ layersDone: 1, layersTotal: 1 });
    const { pid } = store.apart;
    await expect(store.pull('127.0.0.1:9/no/body:1', { signal })).rejects.toMatchObject({
      name: 'PullError',
      reason: 'RegistryUnavailable',
      message: expect.stringContaining('connection refused'),
    });
    expect(store.apart.pid).toBe(pid);
  });

  it('asks only, and begins no process, where the image is here as the registry has it', async () => {
    const { registry, scene } = await set((_, response) => {
      response.setHeader('docker-content-digest', registry.digest);
      return true;
    });
    await scene.store.pull(registry.name, { signal });
    const before = registry.requests.length;
    const store = apartOf(scene);
    expect(await store.pull(registry.name, { signal })).toMatchObject({ names: [registry.name] });
    expect(registry.requests.slice(before)).toEqual([expect.stringMatching(/^HEAD /)]);
    expect(store.apart.pid).toBe(undefined);
  });

  it('that is given up leaves nothing, and says why', async () => {
    const { registry, scene } = await set(stall(() => true));
    const store = apartOf(scene);
    const giveUp = new AbortController();
    const pulling = store
      .pull(registry.name, { signal: giveUp.signal })
      ?.catch((error: unknown) => error);
    await until(() => registry.requests.some((each) => each.includes('/blobs/')));
    giveUp.abort(new Error('the pod is gone'));
    expect(await pulling).toMatchObject({ message: 'the pod is gone' });
    expect(scene.left()).toEqual([]);
  });

  it('fails in words when its process is killed, leaves nothing, and the next begins another', async () => {
    let stalling = true;
    const { registry, scene } = await set(stall(() => stalling));
    const store = apartOf(scene);
    const pulling = store.pull(registry.name, { signal })?.catch((error: unknown) => error);
    await until(() => registry.requests.some((each) => each.includes('/blobs/')));
    const pid = store.apart.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    expect(await pulling).toMatchObject({
      name: 'PullError',
      message: 'the process that pulled it ended (SIGKILL)',
    });
    expect(scene.left()).toEqual([]);
    stalling = false;
    expect(await store.pull(registry.name, { signal })).toMatchObject({ names: [registry.name] });
    expect(store.apart.pid).not.toBe(pid);
  });

  it('begins another process for a pull that comes while the idle one is being ended', async () => {
    const { registry, scene } = await set();
    const store = apartOf(scene);
    await expect(store.pull('127.0.0.1:9/no/body:1', { signal })).rejects.toThrow('refused');
    const pid = store.apart.pid ?? 0;
    store.apart.close();
    expect(await store.pull(registry.name, { signal })).toMatchObject({ names: [registry.name] });
    expect(store.apart.pid).not.toBe(pid);
  });

  it('ends its process when it is closed', async () => {
    const { scene } = await set();
    const store = apartOf(scene);
    await expect(store.pull('127.0.0.1:9/no/body:1', { signal })).rejects.toThrow(
      'connection refused',
    );
    const pid = store.apart.pid ?? 0;
    expect(isAlive(pid)).toBe(true);
    store.apart.close();
    await until(() => !isAlive(pid));
  });
});
