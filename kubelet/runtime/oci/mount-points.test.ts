// Where a container's mounts find their places: in a layer that all share, unless its image has them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anOciHost, type OciHost, sh, shellFiles } from '../../../test/support/oci-host.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import { type BuildFile, buildImage } from '../../images/build.ts';
import { layoutFor } from './layout.ts';
import type { OciRuntime } from './oci-runtime.ts';

const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';

describe('places to mount on', () => {
  let host: OciHost;
  let runtime: OciRuntime;
  let token: string;
  beforeAll(async () => {
    host = await anOciHost();
    runtime = await host.start();
    token = join(host.folder, 'token');
    mkdirSync(token);
    writeFileSync(join(token, 'token'), 'secret');
  });
  afterAll(() => host.dispose());

  const layers = () => {
    const { mountPoints } = layoutFor(host.stateDir, host.clusterId);
    return host.system.run('find', [mountPoints, '-printf', '%y %m %U %P\n']);
  };
  let made = 0;
  const run = async (imageId: string) => {
    const name = `c${made++}`;
    const sandbox = aSandbox(name, { hostNetwork: true });
    const mounts = [{ containerPath: TOKEN_PATH, hostPath: token, readOnly: true }];
    const parts = { imageId, command: sh('while :; do sleep 1; done'), mounts };
    const config = aContainer({ name, logPath: join(host.folder, name), ...parts });
    const id = await runtime.createContainer(await runtime.runSandbox(sandbox), sandbox, config);
    await runtime.startContainer(id);
    const { upper } = layoutFor(host.stateDir, host.clusterId).container(id);
    const say = async (script: string) => {
      const { stdout } = await runtime.execSync(id, sh(script), 20_000);
      return Buffer.from(stdout).toString().trim();
    };
    return { id, upper, say };
  };
  const anImage = async (name: string, files: readonly BuildFile[]) => {
    const own = { files: [...(await shellFiles(host.system)), ...files] };
    return (await buildImage(host.images, { name, layers: [own], config: {} })).id;
  };

  it('are there for a container whose image has none, and it has written nothing', async () => {
    const { upper, say } = await run(host.shell.id);
    expect(host.system.list(upper)).toEqual([]);
    expect(await say(`cat ${TOKEN_PATH}/token`)).toBe('secret');
    expect(await say('cat /etc/hosts /etc/hostname')).toMatch(/localhost[^]*host-c/);
    expect(await say('ls -ld /proc /sys /dev /etc /var/run | cat')).not.toContain('nobody');
  });

  it('are shared: what one container does beside and above them is its own', async () => {
    const before = (await layers()).stdout;
    const [one, two] = [await run(host.shell.id), await run(host.shell.id)];
    const change = 'echo mine > /etc/own; echo mine > /var/run/secrets/own; echo mine > /etc/hosts';
    await one.say(change);
    expect(await one.say('cat /etc/own /var/run/secrets/own')).toBe('mine\nmine');
    expect(await two.say('ls /etc /var/run/secrets | cat')).not.toContain('own');
    expect((await layers()).stdout).toBe(before);
  });

  it.each([
    ['a directory with a mode of its own', { target: '/etc/own', content: 'own' }, 'cat /etc/own'],
    ['a link', { target: '/var/run', link: '../run' }, `cat /run/secrets/kubernetes.io/*/token`],
    ['a file', { target: '/etc/hosts', content: 'nobody' }, 'cat /etc/hosts'],
  ])("are the image's own where it has %s", async (_, file, command) => {
    const { say } = await run(await anImage(`own:${made}`, [file]));
    expect(await say(command)).toMatch(/^(own|secret|127.0.0.1 localhost)$/);
    expect(await say(`cat ${TOKEN_PATH}/token`)).toBe('secret');
  });

  it('are refused as ever where the image has something else', async () => {
    const { id } = await run(
      await anImage('else:1', [{ target: '/proc', content: 'a file' }]),
    ).catch(async () => ({ id: (await runtime.listContainers(`c${made - 1}`)).at(-1)?.id ?? '' }));
    expect(await runtime.containerStatus(id)).toMatchObject({
      state: 'exited',
      reason: 'StartError',
    });
  });

  it('are completed by the next agent where one died while it made them', async () => {
    const before = (await layers()).stdout;
    const { mountPoints } = layoutFor(host.stateDir, host.clusterId);
    await host.system.run('rm', [
      '-r',
      join(mountPoints, 'common1', 'etc'),
      join(mountPoints, 'token1'),
    ]);
    runtime = await host.start();
    expect((await layers()).stdout.split('\n').toSorted()).toEqual(before.split('\n').toSorted());
  });
});
