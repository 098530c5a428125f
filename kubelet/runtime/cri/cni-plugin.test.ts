// The CNI plugin as a runtime calls it: by its environment, in the host's mounts; the namespaces are this test's own. Needs root.
import { readdirSync, readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLinuxSystem } from '../../../system/linux.ts';
import { CommandError } from '../../../system/system.ts';
import { CniPlugin } from './cni-plugin.ts';

describe('the CNI plugin', () => {
  const system = createLinuxSystem();
  const tag = `t${process.pid}`;
  const own = `/run/netns/${tag}-own`;
  let folder: string;
  let given: string;
  let plugin: CniPlugin;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pinnace-cni-'));
    given = join(folder, 'given');
    plugin = new CniPlugin(join(folder, 'cni'));
    plugin.install();
    await system.run('ip', ['netns', 'add', `${tag}-own`]);
    await system.run('ip', ['netns', 'add', `${tag}-given`]);
    // As runtimes do: a file that the namespace is bound to.
    writeFileSync(given, '');
    system.mount({ source: `/run/netns/${tag}-given`, target: given, flags: ['bind'] });
    await system.run('ip', ['netns', 'delete', `${tag}-given`]);
  });
  afterEach(async () => {
    system.unmount(given);
    await system.run('ip', ['netns', 'delete', `${tag}-own`]);
    rmSync(folder, { recursive: true, force: true });
  });

  const call = async (command: string, uid: string, program = 'pinnace') => {
    const CNI_ARGS = `IgnoreUnknown=1;K8S_POD_NAME=a;K8S_POD_UID=${uid};K8S_POD_NAMESPACE=b`;
    const moreEnv = { CNI_COMMAND: command, CNI_NETNS: given, CNI_IFNAME: 'eth0', CNI_ARGS };
    try {
      const { stdout } = await system.run(join(plugin.binDir, program), [], { moreEnv });
      return stdout === '' ? undefined : (JSON.parse(stdout) as Record<string, unknown>);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return JSON.parse(error.stdout) as Record<string, unknown>;
    }
  };
  const identityOf = async (path: string) =>
    (await system.run('stat', ['-Lc', '%i', path])).stdout.trim();
  const mountsAt = () => system.mounts().filter(({ mountPoint }) => mountPoint === given).length;

  it('puts the namespace of the pod in the place of the one that was made, once', async () => {
    plugin.plug({ podUid: 'uid-1', netnsPath: own, ip: '10.1.2.3' });
    expect(await identityOf(given)).not.toBe(await identityOf(own));
    expect(await call('ADD', 'uid-1')).toMatchObject({
      interfaces: [{ name: 'eth0', sandbox: given }],
      ips: [{ address: '10.1.2.3/32' }],
    });
    expect([await identityOf(given), mountsAt()]).toEqual([await identityOf(own), 1]);
    expect(await call('DEL', 'uid-1')).toBeUndefined();
    expect(await identityOf(given)).toBe(await identityOf(own));
  });

  it('refuses a pod that nobody has announced, or any more, and touches nothing', async () => {
    const before = await identityOf(given);
    plugin.plug({ podUid: 'uid-1', netnsPath: own, ip: '10.1.2.3' });
    plugin.unplug('uid-1');
    for (const uid of ['uid-1', 'uid-2'])
      expect(await call('ADD', uid)).toMatchObject({
        code: 100,
        msg: `no pod ${uid} of this node is to be connected`,
      });
    for (const uid of ['', '../../etc/passwd', '.hidden'])
      expect(await call('ADD', uid)).toMatchObject({ code: 7 });
    expect([await identityOf(given), mountsAt()]).toEqual([before, 1]);
  });

  it('says which versions it speaks, as the loopback does, which is up already', async () => {
    for (const program of ['pinnace', 'loopback'])
      expect(await call('VERSION', 'x', program)).toMatchObject({ cniVersion: '0.4.0' });
    expect(await call('ADD', 'x', 'loopback')).toMatchObject({ interfaces: [{ name: 'lo' }] });
    const [conf = ''] = readdirSync(plugin.confDir);
    expect(JSON.parse(readFileSync(join(plugin.confDir, conf), 'utf8'))).toMatchObject({
      plugins: [{ type: 'pinnace' }],
    });
  });
});
