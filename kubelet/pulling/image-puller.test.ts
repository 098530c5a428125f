// Tests of bringing images to a node: policies, secrets, who may use what, waits and words.
import { describe, expect, it } from 'vitest';
import type { Container, Pod, Secret } from '../../api/generated/types.ts';
import { silentLogger } from '../../base/logger.ts';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { aPod } from '../pods/fixtures/pod-scenes.ts';
import type { StartFailure } from '../pods/start-failure.ts';
import { FakeImageStore } from '../runtime/fake/fake-images.ts';
import { type ImageInfo, PullError, type PullRequest } from '../runtime/runtime.ts';
import { ImagePuller, LOOK_FOR_IMAGE_MS } from './image-puller.ts';
import { notesInMemory, PullAccess, type PullNotes } from './pull-access.ts';
import { PullSecrets } from './pull-secrets.ts';

const IMAGE = 'reg.test/team/app:1';
const DIGEST = `reg.test/team/app@sha256:${'a'.repeat(64)}`;

/** A registry that has what it is told, for whom it is told. */
class RegistryStore extends FakeImageStore {
  answer: (request: PullRequest) => ImageInfo | Error = () => this.add(IMAGE, pulledParts);
  asked = 0;

  override pull(_image: string, request: PullRequest): Promise<ImageInfo> {
    this.asked += 1;
    const answer = this.answer(request);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
}
const pulledParts = { repoDigests: [DIGEST], sizeBytes: 2048 };

interface Scene {
  readonly images?: FakeImageStore;
  readonly secrets?: Readonly<Record<string, Secret>>;
  readonly notes?: PullNotes;
}

function sceneOf({ images = new RegistryStore(), secrets = {}, notes = notesInMemory() }: Scene) {
  const told: string[] = [];
  const events = {
    event: (_: Pod, { type, reason, message }: { type: string; reason: string; message: string }) =>
      void told.push(`${type} ${reason} ${message}`),
  };
  const clock = new VirtualClock();
  const puller = new ImagePuller({
    images,
    clock,
    events,
    logger: silentLogger,
    configuration: { serializeImagePulls: true, maxParallelImagePulls: undefined },
    secrets: new PullSecrets({
      events,
      sources: { secret: (namespace, name) => Promise.resolve(secrets[`${namespace}/${name}`]) },
    }),
    access: new PullAccess(notes),
  });
  const ensure = (parts: Partial<Container> = {}, pod = aPod(), signal = neverAborted()) =>
    puller.ensure({ pod, container: { name: 'app', image: IMAGE, ...parts }, signal });
  const failure = async (...args: Parameters<typeof ensure>): Promise<StartFailure> => {
    const problem = await ensure(...args).then(
      () => undefined,
      (error: StartFailure) => error,
    );
    if (!problem) throw new Error('the image was there');
    told.push(...problem.notes.map((note) => `${note.type} ${note.reason} ${note.message}`));
    return problem;
  };
  return { clock, told, puller, ensure, failure };
}

const neverAborted = () => new AbortController().signal;
const withSecrets = (...names: string[]) =>
  aPod({ imagePullSecrets: names.map((name) => ({ name })) });
const secretFor = (user: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: user },
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({ auths: { 'reg.test': { username: user, password: 'secret' } } }),
    ).toString('base64'),
  },
});
const PRESENT = `Normal Pulled Container image "${IMAGE}" already present on machine and can be accessed by the pod`;

describe('a pull policy', () => {
  it('IfNotPresent pulls what is missing, tells of it, and pulls no more', async () => {
    const images = new RegistryStore();
    const { ensure, told } = sceneOf({ images });
    expect((await ensure()).repoDigests).toEqual([DIGEST]);
    await ensure();
    expect(images.asked).toBe(1);
    expect(told).toEqual([
      `Normal Pulling Pulling image "${IMAGE}"`,
      `Normal Pulled Successfully pulled image "${IMAGE}" in 0s (0s including waiting). Image size: 2048 bytes.`,
      PRESENT,
    ]);
  });

  it('Always asks for what a registry has, and fails when that cannot be asked', async () => {
    const images = new RegistryStore();
    images.add(IMAGE, pulledParts);
    const { ensure, failure } = sceneOf({ images });
    await ensure({ imagePullPolicy: 'Always' });
    expect(images.asked).toBe(1);
    images.answer = () => new PullError('RegistryUnavailable', 'connection refused');
    expect(await failure({ imagePullPolicy: 'Always' })).toMatchObject({
      reason: 'RegistryUnavailable',
      message: `image pull failed for ${IMAGE} because the registry is unavailable: connection refused`,
    });
  });

  it('Always takes what was loaded by hand: no registry is known to have it', async () => {
    const images = new RegistryStore();
    images.add(IMAGE);
    const { ensure, told } = sceneOf({ images });
    await ensure({ imagePullPolicy: 'Always' });
    expect(images.asked).toBe(0);
    expect(told).toEqual([PRESENT]);
  });

  it('Always takes what is there where there is no registry', async () => {
    const images = new FakeImageStore();
    images.add(IMAGE, pulledParts);
    const { ensure } = sceneOf({ images });
    expect(await ensure({ imagePullPolicy: 'Always' })).toMatchObject({ names: [IMAGE] });
  });

  it('Never uses what is there, and says when it is not', async () => {
    const images = new RegistryStore();
    const { ensure, failure, told } = sceneOf({ images });
    const message = `Container image "${IMAGE}" is not present with pull policy of Never`;
    expect(await failure({ imagePullPolicy: 'Never' })).toMatchObject({
      reason: 'ErrImageNeverPull',
      message,
    });
    expect(told).toEqual([
      `Warning ErrImageNeverPull ${message}`,
      'Warning Failed Error: ErrImageNeverPull',
    ]);
    images.add(IMAGE);
    await ensure({ imagePullPolicy: 'Never' });
    expect(images.asked).toBe(0);
  });

  it('is asked for nothing where the name is none', async () => {
    const { failure } = sceneOf({});
    expect(await failure({ image: 'Shop/App:1' })).toMatchObject({ reason: 'InvalidImageName' });
  });
});

describe('an image that cannot be pulled', () => {
  it('is tried after 10 s, 20 s, 40 s, … up to 5 min, and says so in between', async () => {
    const images = new RegistryStore();
    images.answer = () => new PullError('ErrImagePull', 'manifest unknown');
    const { failure, clock } = sceneOf({ images });
    const tries: number[] = [];
    const begun = clock.now();
    while (clock.now() - begun < 20 * 60_000) {
      const before = images.asked;
      const { reason, message, retry } = await failure();
      if (images.asked > before) tries.push((clock.now() - begun) / 1000);
      expect([reason, message]).toEqual(
        images.asked > before
          ? ['ErrImagePull', 'manifest unknown']
          : [
              'ImagePullBackOff',
              `Back-off pulling image "${IMAGE}": ErrImagePull: manifest unknown`,
            ],
      );
      const at = (retry as { atMs: number }).atMs;
      expect(at - clock.now()).toBeLessThanOrEqual(LOOK_FOR_IMAGE_MS);
      await clock.advance(at - clock.now());
    }
    expect(tries).toEqual([0, 10, 30, 70, 150, 310, 610, 910]);
  });

  it('is used soon once it was loaded by hand', async () => {
    const images = new RegistryStore();
    images.answer = () => new PullError('ErrImagePull', 'manifest unknown');
    const { failure, ensure } = sceneOf({ images });
    await failure();
    images.add(IMAGE);
    await ensure();
    expect(images.asked).toBe(1);
  });

  it('waits for no other pod, and not for one that is gone', async () => {
    const images = new RegistryStore();
    images.answer = () => new PullError('ErrImagePull', 'manifest unknown');
    const { failure, puller } = sceneOf({ images });
    const other = aPod();
    other.metadata.uid = 'uid-2';
    expect((await failure()).reason).toBe('ErrImagePull');
    expect((await failure({}, other)).reason).toBe('ErrImagePull');
    expect((await failure()).reason).toBe('ImagePullBackOff');
    puller.forget('uid-1');
    expect((await failure()).reason).toBe('ErrImagePull');
    expect((await failure({}, other)).reason).toBe('ImagePullBackOff');
  });

  it('says in upstream’s words what was wrong with its signature', async () => {
    const images = new RegistryStore();
    images.answer = () => new PullError('SignatureValidationFailed', 'no signature');
    expect((await sceneOf({ images }).failure()).message).toBe(
      `image pull failed for ${IMAGE} because the signature validation failed: no signature`,
    );
  });

  it('is nobody’s fault when its pod left', async () => {
    const images = new RegistryStore();
    const leaving = new AbortController();
    images.answer = () => {
      leaving.abort(new Error('the pod is being deleted'));
      return leaving.signal.reason as Error;
    };
    const { failure, told } = sceneOf({ images });
    expect((await failure({}, aPod(), leaving.signal)).retry).toBe('soon');
    expect(told).toEqual([`Normal Pulling Pulling image "${IMAGE}"`]);
  });
});

describe('pull secrets', () => {
  it('are tried in the order in which the pod names them', async () => {
    const images = new RegistryStore();
    let brought: PullRequest['credentials'];
    images.answer = ({ credentials }) => {
      brought = credentials;
      return images.add(IMAGE, pulledParts);
    };
    const secrets = { 'shop/a': secretFor('ann'), 'shop/b': secretFor('bob') };
    await sceneOf({ images, secrets }).ensure({}, withSecrets('b', 'a'));
    expect(brought?.map(({ username }) => username)).toEqual(['bob', 'ann']);
  });

  it('that are missing or broken are told of, and the pull is tried', async () => {
    const broken = { ...secretFor('ann'), data: { '.dockerconfigjson': '!' } };
    const { ensure, told } = sceneOf({ secrets: { 'shop/broken': broken } });
    await ensure({}, withSecrets('none', 'broken', 'gone'));
    expect(told.filter((line) => line.includes('FailedToRetrieve'))).toEqual([
      'Warning FailedToRetrieveImagePullSecret Image pull secret broken cannot be used: its .dockerconfigjson is no JSON',
      'Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (none, gone); attempting to pull the image may not succeed.',
    ]);
  });

  it('that were mended are tried at once', async () => {
    const images = new RegistryStore();
    images.answer = ({ credentials = [] }) =>
      credentials.some(({ username }) => username === 'bob')
        ? images.add(IMAGE, pulledParts)
        : new PullError('ErrImagePull', 'unauthorized');
    const secrets: Record<string, Secret> = { 'shop/pull': secretFor('ann') };
    const { ensure, failure } = sceneOf({ images, secrets });
    const pod = withSecrets('pull');
    await failure({}, pod);
    expect((await failure({}, pod)).reason).toBe('ImagePullBackOff');
    secrets['shop/pull'] = secretFor('bob');
    await ensure({}, pod);
  });
});

describe('an image that was pulled with a pull secret', () => {
  const secrets = { 'shop/ann': secretFor('ann'), 'shop/bob': secretFor('bob') };
  const guarded = () => {
    const images = new RegistryStore();
    images.answer = ({ credentials = [] }) =>
      credentials.some(({ username }) => username === 'ann')
        ? images.add(IMAGE, pulledParts)
        : new PullError('ErrImagePull', 'unauthorized');
    return images;
  };

  it('is for pods with the same credentials without a question, for others after one', async () => {
    const images = guarded();
    const { ensure, failure } = sceneOf({ images, secrets });
    await ensure({}, withSecrets('ann'));
    await ensure({}, withSecrets('ann'));
    expect(images.asked).toBe(1);
    expect(await failure({}, withSecrets('bob'))).toMatchObject({ message: 'unauthorized' });
    expect((await failure()).message).toBe('unauthorized');
    expect(images.asked).toBe(3);
    expect((await failure({ imagePullPolicy: 'Never' })).message).toBe(
      `Container image "${IMAGE}" is present with pull policy of Never, but does not have the proper credentials`,
    );
  });

  it('is so after the agent’s death too, also when that came in the midst of the pull', async () => {
    const notes = notesInMemory();
    const images = guarded();
    await sceneOf({ images, secrets, notes }).ensure({}, withSecrets('ann'));
    expect((await sceneOf({ images, notes }).failure()).message).toBe('unauthorized');
    const torn = notesInMemory();
    new PullAccess(torn).begun(IMAGE);
    expect((await sceneOf({ images, notes: torn }).failure()).message).toBe('unauthorized');
    expect(notes.read()).not.toContain('secret');
  });

  it('is for all once one got it without any', async () => {
    const images = new RegistryStore();
    const { ensure } = sceneOf({ images, secrets });
    await ensure({}, withSecrets('ann'));
    await ensure();
    await ensure({}, withSecrets('bob'));
    expect(images.asked).toBe(2);
  });

  it('is for all when it was loaded by hand', async () => {
    const images = guarded();
    images.add(IMAGE);
    await sceneOf({ images }).ensure();
    expect(images.asked).toBe(0);
  });
});
