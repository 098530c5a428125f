// Images over CRI: found, listed, pulled from a real registry with the credentials that count, and removed. Needs root, containerd and
// docker-registry.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { createLinuxSystem } from '../../../system/linux.ts';
import { aContainerd, type TestContainerd } from '../../../test/support/containerd.ts';
import { startRegistry, type TestRegistry } from '../../../test/support/docker-registry.ts';
import { anOciHost, type OciHost } from '../../../test/support/oci-host.ts';
import { until } from '../../../test/support/until.ts';
import { type ImageStore, PullError, type PullRequest } from '../runtime.ts';
import { createCriImages } from './cri-images.ts';
import { CniPlugin } from './cni-plugin.ts';
import { GrpcError, type GrpcConnection, connectGrpc } from './grpc.ts';

const SHELL = 'test/shell:1';
const RIGHT = { username: 'shop', password: 'sesame' };
const WRONG = { username: 'shop', password: 'not-the-secret' };

describe('images over CRI', () => {
  let containerd: TestContainerd;
  let registry: TestRegistry;
  let shell: OciHost;
  let connection: GrpcConnection;
  let images: ImageStore;
  let cni: string;
  let name: string;
  const system = createLinuxSystem();
  const ctr = (...args: string[]) => {
    const address = containerd.endpoint.replace('unix://', '');
    return system.run('ctr', ['--address', address, '-n', 'k8s.io', 'images', ...args]);
  };
  /** What `ctr` does to images is known to CRI a moment later. */
  const known = (image: string, is: boolean) =>
    until(async () => ((await images.resolve(image)) !== undefined) === is);

  beforeAll(async () => {
    cni = mkdtempSync(join(tmpdir(), 'pinnace-cni-'));
    new CniPlugin(cni).install();
    [containerd, registry, shell] = await Promise.all([
      aContainerd({ cni }),
      startRegistry({ basic: true }),
      anOciHost(),
    ]);
    await containerd.load(shell.images, [SHELL]);
    name = `${registry.host}/test/shell:2`;
    connection = await connectGrpc(containerd.endpoint, systemClock);
    images = createCriImages(() => connection);
    await ctr('tag', `docker.io/${SHELL}`, name);
    await known(name, true);
    await ctr('push', '--plain-http', '--user', `${RIGHT.username}:${RIGHT.password}`, name);
    await ctr('rm', name);
    await known(name, false);
  });
  afterAll(async () => {
    connection?.close();
    await registry?.stop();
    await containerd?.dispose();
    await shell?.dispose();
    rmSync(cni, { recursive: true, force: true });
  });

  const asked = (parts: Partial<PullRequest>) =>
    ({ signal: new AbortController().signal, ...parts }) as PullRequest;
  const failure = async (image: string, parts: Partial<PullRequest>) => {
    const error: unknown = await images.pull?.(image, asked(parts))?.catch((each: unknown) => each);
    if (!(error instanceof PullError)) throw new Error(`it was ${String(error)}`);
    return error;
  };

  it('tell what an image is, by name, by digest and by id', async () => {
    const image = await images.resolve(SHELL);
    expect(image).toMatchObject({
      id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
      names: [`docker.io/${SHELL}`],
      cmd: ['/bin/sh'],
      entrypoint: [],
      env: [expect.stringMatching(/^PATH=/) as string],
    });
    expect(await images.resolve(image?.id ?? '')).toEqual(image);
    expect((await images.list()).map(({ id }) => id)).toContain(image?.id);
  });

  it('are pinned where sandboxes are made from them', async () => {
    expect(await images.resolve(SHELL)).toMatchObject({ pinned: false });
    const pause = 'registry.k8s.io/pause:3.6';
    await ctr('tag', `docker.io/${SHELL}`, pause);
    try {
      await known(pause, true);
      expect(await images.resolve(pause)).toMatchObject({ pinned: true });
    } finally {
      await ctr('rm', pause);
    }
  });

  it('are not there by a name of none, or by what is no name', async () => {
    for (const none of ['test/none:1', 'NOT/A NAME', ''])
      expect(await images.resolve(none)).toBeUndefined();
  });

  it('come from a registry with the first credential that counts, and go again', async () => {
    const pulled = await images.pull?.(name, asked({ credentials: [WRONG, RIGHT] }));
    expect(pulled?.names).toContain(name);
    expect(pulled?.repoDigests[0]).toMatch(/@sha256:[0-9a-f]{64}$/);
    const byDigest = `${registry.host}/test/shell@${pulled?.repoDigests.find((each) => each.includes(registry.host))?.split('@')[1]}`;
    expect((await images.resolve(byDigest))?.id).toBe(pulled?.id);
    expect(await images.remove?.(pulled?.id ?? '')).toBe(true);
    expect(await images.remove?.(pulled?.id ?? '')).toBe(false);
    expect(await images.resolve(name)).toBeUndefined();
    const again = await images.pull?.(byDigest, asked({ credentials: [RIGHT] }));
    expect(again?.id).toBe(pulled?.id);
  });

  it('do not come without a right credential, and no secret is told', async () => {
    for (const credentials of [[], [WRONG]]) {
      const error = await failure(name.replace(':2', ':3'), { credentials });
      expect(error.reason).toBe('ErrImagePull');
      expect(error.message).toMatch(/authorization|unauthorized|401/i);
      expect(error.message).not.toContain(WRONG.password);
    }
  });

  it('say which image a registry does not have', async () => {
    const error = await failure(`${registry.host}/test/none:1`, { credentials: [RIGHT] });
    expect(error.message).toMatch(/test\/none:1.*not found/);
  });

  it('stop coming when nobody wants them any more', async () => {
    const control = new AbortController();
    control.abort(new Error('the pod is being deleted'));
    const pulling = images.pull?.(name, asked({ signal: control.signal, credentials: [RIGHT] }));
    await expect(pulling).rejects.toThrow('the pod is being deleted');
  });

  it('tell what they take, and what their file system has left', async () => {
    const usage = await images.usage?.();
    expect(usage?.capacityBytes).toBeGreaterThan(usage?.availableBytes ?? Infinity);
    // Containerd counts it each ten seconds.
    expect(usage?.usedBytes).toEqual(expect.any(Number));
    expect(usage?.inodes).toBeGreaterThan(usage?.inodesFree ?? Infinity);
  });

  it('are listed as they were while the runtime does not answer', async () => {
    const before = await images.list();
    let down = false;
    const flaky = createCriImages(() => {
      if (down) throw new GrpcError('UNAVAILABLE', 'connection refused');
      return connection;
    });
    expect(await flaky.list()).toHaveLength(before.length);
    down = true;
    expect(await flaky.list()).toHaveLength(before.length);
    await expect(flaky.resolve(SHELL)).rejects.toThrow('connection refused');
  });
});
