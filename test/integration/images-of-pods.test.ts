// Pods' images from a registry that asks who comes: by secrets, for those who may, with and without the registry, and removed again.
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Container, Pod, Secret } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { resolveConfiguration } from '../../kubelet/configuration.ts';
import { aPod } from '../../kubelet/pods/fixtures/pod-scenes.ts';
import { ImageCollector } from '../../kubelet/pulling/image-collector.ts';
import { ImagePuller } from '../../kubelet/pulling/image-puller.ts';
import { imageRefOf } from '../../kubelet/pulling/image-ref.ts';
import { notesInMemory, PullAccess } from '../../kubelet/pulling/pull-access.ts';
import { PullSecrets } from '../../kubelet/pulling/pull-secrets.ts';
import { startRegistry, type TestRegistry } from '../support/docker-registry.ts';
import { type ImageScene, imageScene } from '../support/image-scene.ts';

let registry: TestRegistry;
let publisher: ImageScene;
let node: ImageScene;
let name: string;
let digest: string;
let told: string[];
let puller: ImagePuller;

beforeEach(async () => {
  registry = await startRegistry({ basic: true });
  publisher = imageScene();
  node = imageScene({}, { retryInitialMs: 1, retryMaxMs: 2 });
  name = `${registry.host}/shop/private:1`;
  await publisher.build(name);
  const credential = { username: 'shop', password: 'sesame' };
  digest = await publisher.push(name, { credential });
  told = [];
  const events = {
    event: (_: unknown, { reason, message }: { reason: string; message: string }) =>
      void told.push(`${reason} ${message}`),
  };
  const secrets: Readonly<Record<string, Secret>> = {
    good: secretOf('shop', 'sesame'),
    bad: secretOf('shop', 'guessed'),
  };
  const sources = { secret: (_: string, of: string) => Promise.resolve(secrets[of]) };
  puller = new ImagePuller({
    images: node.store,
    clock: systemClock,
    logger: silentLogger,
    events,
    configuration: resolveConfiguration(),
    secrets: new PullSecrets({ events, sources }),
    access: new PullAccess(notesInMemory()),
  });
});
afterEach(async () => {
  await registry.stop();
  publisher.dispose();
  node.dispose();
});

const secretOf = (username: string, password: string): Secret => {
  const config = { auths: { [registry.host]: { username, password } } };
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify(config)).toString('base64') };
  const type = 'kubernetes.io/dockerconfigjson';
  return { apiVersion: 'v1', kind: 'Secret', metadata: {}, type, data };
};
const podWith = (uid: string, ...secrets: string[]): Pod => {
  const pod = aPod({ imagePullSecrets: secrets.map((each) => ({ name: each })) });
  return { ...pod, metadata: { ...pod.metadata, uid } };
};
const ensure = (pod: Pod, container: Partial<Container> = {}) =>
  puller.ensure({
    pod,
    container: { name: 'app', image: name, ...container },
    signal: new AbortController().signal,
  });

it('is pulled with the pod’s secrets, tried in turn, and shown by the registry’s digest', async () => {
  const image = await ensure(podWith('a', 'bad', 'good'));
  expect(imageRefOf(image, name)).toBe(`${registry.host}/shop/private@${digest}`);
  expect(told[0]).toBe(`Pulling Pulling image "${name}"`);
  expect(told[1]).toMatch(
    /^Pulled Successfully pulled image ".*" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/,
  );
});

it('is not for pods without the right secret, neither before nor once it is here, by tag or by digest', async () => {
  await expect(ensure(podWith('b'))).rejects.toMatchObject({ reason: 'ErrImagePull' });
  await ensure(podWith('a', 'good'));
  const byDigest = { image: `${registry.host}/shop/private@${digest}` };
  for (const container of [{}, byDigest, { imagePullPolicy: 'Always' }]) {
    const stranger = podWith(`c-${JSON.stringify(container)}`, 'bad');
    await expect(ensure(stranger, container)).rejects.toMatchObject({
      reason: 'ErrImagePull',
      message: expect.stringMatching(/401|unauthorized|authentication/i),
    });
  }
  const friend = await ensure(podWith('d', 'good'), byDigest);
  expect(friend.repoDigests).toEqual([byDigest.image]);
});

it('is used without its registry by whoever may, and Always says that it cannot be asked', async () => {
  await ensure(podWith('a', 'good'));
  await registry.stop();
  await ensure(podWith('b', 'good'));
  const { reason, message } = await ensure(podWith('c', 'good'), {
    imagePullPolicy: 'Always',
  }).then(
    () => ({ reason: '', message: '' }),
    (error: { reason: string; message: string }) => error,
  );
  expect(reason).toBe('RegistryUnavailable');
  expect(message).toMatch(/because the registry is unavailable: .*connection refused/);
});

it('goes when nothing uses it, with all its files; what was built here stays', async () => {
  await node.build('made/here:1');
  // A compressed layer stays as long as an image has the same one.
  const files = () => node.left().filter((path) => !path.startsWith('blobs/'));
  const kept = files();
  const image = await ensure(podWith('a', 'good'));
  const used = new Set([image.id]);
  const collector = new ImageCollector({
    images: node.store,
    clock: systemClock,
    logger: silentLogger,
    configuration: resolveConfiguration(),
    inUse: () => Promise.resolve(used),
    tell: () => undefined,
    onRemoved: () => undefined,
  });
  expect(await collector.reclaim()).toBe(0);
  used.clear();
  expect(await collector.reclaim()).toBe(image.sizeBytes);
  expect(files()).toEqual(kept);
});
