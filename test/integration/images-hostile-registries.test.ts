// Registries that redirect, fail, stall or want to be told secrets: what a pull does with them, and says.
import { readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { type Misbehaviour, sha } from '../support/hostile-registry.ts';
import { layerTar } from '../support/image-scene.ts';
import { until } from '../support/until.ts';
import { answer, endPulls, good, isBlob, refusal, set, signal } from '../support/hostile-image.ts';

afterEach(endPulls);

describe('a registry', () => {
  it.each([
    [
      'redirects in circles',
      answer(307, { location: '/v2/again' }),
      'ErrImagePull',
      /redirects more than 5 times/,
    ],
    ['fails each time', answer(500), 'RegistryUnavailable', /answers 500/],
    [
      'wants fewer requests',
      answer(429, { 'retry-after': '3600' }),
      'RegistryUnavailable',
      /asks for fewer requests \(429\)/,
    ],
    [
      'names no token server',
      answer(401, { 'www-authenticate': 'Bearer realm="nowhere"' }),
      'ErrImagePull',
      /names no token server/,
    ],
    ['lets nobody in', answer(403), 'ErrImagePull', /access is denied \(403\)/],
  ])('that %s is given up', async (...[, misbehave, reason, message]) => {
    expect(await refusal({ misbehave, patience: { attempts: 3 } })).toMatchObject({
      reason,
      message: expect.stringMatching(message),
    });
  });

  it('that fails for a while is asked again', async () => {
    let asked = 0;
    const misbehave: Misbehaviour = (request, response) =>
      asked++ % 3 < 2 ? answer(503)(request, response) : true;
    const { registry, scene } = await set({ misbehave });
    expect((await scene.store.pull(registry.name, { signal }))?.names).toEqual([registry.name]);
  });

  it('is told no password of another: redirects are followed without it', async () => {
    const heard: (string | undefined)[] = [];
    const layer = await good();
    const other = await set({
      image: { layers: [layer] },
      misbehave: ({ headers }) => (heard.push(headers.authorization), true),
    });
    const first = await set({
      image: { layers: [layer] },
      misbehave: (request, response) => {
        if (request.headers.authorization === undefined)
          return answer(401, { 'www-authenticate': 'Basic realm="x"' })(request, response);
        if (!isBlob(request)) return true;
        return answer(307, { location: `http://${other.registry.host}${request.url}` })(
          request,
          response,
        );
      },
    });
    const credentials = [{ username: 'a', password: 'b' }];
    await first.scene.store.pull(first.registry.name, { signal, credentials });
    expect(heard.length).toBe(2);
    expect(heard.every((header) => header === undefined)).toBe(true);
  });

  it('is left at once when the pull is given up, and nothing is left of it', async () => {
    const begun: Misbehaviour = (request, response) => {
      if (!isBlob(request)) return true;
      response.writeHead(200).write('x');
      return false;
    };
    const { registry, scene } = await set({ misbehave: begun });
    const giveUp = new AbortController();
    const pulling = scene.store
      .pull(registry.name, { signal: giveUp.signal })
      ?.catch((error: unknown) => error);
    await until(() => registry.requests.some((each) => each.includes('/blobs/')));
    giveUp.abort(new Error('the pod is gone'));
    expect(await pulling).toMatchObject({ message: 'the pod is gone' });
    expect(scene.left()).toEqual([]);
  });

  it('may be slow: what is there already of its image is not pruned meanwhile', async () => {
    const layers = [await good(), await layerTar([{ name: 'second', content: 'y' }])];
    const held: (() => void)[] = [];
    let waits = true;
    const slow: Misbehaviour = (request, response) => {
      if (!waits || !(request.url ?? '').endsWith(sha(gzipSync(layers[1] ?? '')))) return true;
      held.push(() => response.destroy());
      return false;
    };
    const { registry, scene } = await set({ image: { layers }, misbehave: slow });
    const pulling = scene.store.pull(registry.name, { signal });
    const unpacked = () => readdirSync(scene.store.layers.directory).length;
    await until(() => held.length > 0 && unpacked() === 1);
    await scene.store.prune();
    expect(unpacked()).toBe(1);
    waits = false;
    for (const release of held) release();
    expect(await pulling).toMatchObject({ names: [registry.name] });
  });

  it('is asked once for a layer that two images need at once', async () => {
    const { registry, scene } = await set({});
    const names = [registry.name, registry.name.replace('bad/image', 'other/image')];
    await Promise.all(names.map(async (name) => scene.store.pull(name, { signal })));
    expect(registry.requests.filter((each) => each.includes('/blobs/')).length).toBe(2);
    expect(await scene.store.list()).toHaveLength(1);
  });
});
