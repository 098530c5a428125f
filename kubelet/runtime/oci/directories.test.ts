// The runtime's directories over the agent's lives: where those of before are found, and what happens when the one in memory is full.
import {
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import { anOciHost, type OciHost, sh } from '../../../test/support/oci-host.ts';
import { until } from '../../../test/support/until.ts';
import type { System } from '../../../system/system.ts';
import type { RuntimeError } from '../runtime.ts';
import { BUNDLE_CONFIG_BYTES, RUN_BYTES } from './directories.ts';
import { type Layout, layoutFor } from './layout.ts';
import { createOciRuntime, type OciRuntime } from './oci-runtime.ts';

const FOREVER = 'while :; do sleep 1; done';

describe('the directories of the runtime', () => {
  let host: OciHost;
  let layout: Layout;
  beforeEach(async () => {
    host = await anOciHost();
    layout = layoutFor(host.stateDir, host.clusterId);
  });
  afterEach(() => host.dispose());

  const sandbox = aSandbox('a', { hostNetwork: true });
  const create = async (runtime: OciRuntime, script: string, rest = {}) => {
    const sandboxId = await runtime.runSandbox(sandbox);
    const own = { imageId: host.shell.id, logPath: join(host.folder, 'l'), ...rest };
    const config = aContainer({ name: 'main', command: sh(script), stdin: true, ...own });
    return runtime.createContainer(sandboxId, sandbox, config);
  };
  const run = async (runtime: OciRuntime, script: string, rest = {}) => {
    const id = await create(runtime, script, rest);
    await runtime.startContainer(id);
    return id;
  };
  const isRun = ({ mountPoint }: { mountPoint: string }) => mountPoint === layout.run;
  const ofRun = () => host.system.mounts().findLast(isRun);

  it('keeps what a reboot forgets in memory, and of a container on the disk only what it writes', async () => {
    const runtime = await host.start();
    const id = await run(runtime, FOREVER);
    const options = expect.stringContaining(`size=${RUN_BYTES / 1024}k`) as string;
    expect(ofRun()).toMatchObject({ type: 'tmpfs', options });
    const { root, upper, bundle } = layout.container(id);
    expect(host.system.list(root).toSorted()).toEqual(['container.json', 't', 'u', 'w']);
    expect(statSync(bundle).dev).not.toBe(statSync(upper).dev);
    await runtime.removeContainer(id);
    expect([root, bundle].filter((path) => host.system.exists(path))).toEqual([]);
  });

  it('keeps an environment of any size out of the memory that is there for all', async () => {
    const runtime = await host.start();
    const value = 'x'.repeat(BUNDLE_CONFIG_BYTES);
    const id = await create(runtime, FOREVER, { env: [{ name: 'LARGE', value }] });
    await runtime.startContainer(id);
    const { root, upper, bundle } = layout.container(id);
    expect(statSync(join(bundle, 'config.json')).dev).toBe(statSync(upper).dev);
    const script = '[ ${#LARGE} = ' + value.length + ' ]';
    expect((await runtime.execSync(id, sh(script), 20_000)).exitCode).toBe(0);
    const terminal = await runtime.exec(id, { command: sh(script), tty: true, stdin: true });
    terminal.stdout.resume();
    expect(await terminal.exit).toBe(0);
    await runtime.removeContainer(id);
    expect([root, bundle].filter((path) => host.system.exists(path))).toEqual([]);
  });

  it('goes on with a container that an agent of before has made, in its directories and in a plain /run', async () => {
    // Whatever is mounted there tells of an agent that had no memory of its own.
    mkdirSync(layout.namespaces, { recursive: true });
    host.system.mount({ source: layout.namespaces, target: layout.namespaces, flags: ['bind'] });
    const doors = { clock: systemClock, logger: silentLogger, images: host.images };
    const system = asBefore(host.system, layout);
    const { stateDir, clusterId } = host;
    const earlier = createOciRuntime({ ...doors, system, stateDir, clusterId });
    await earlier.recover();
    const id = await run(earlier, `echo begun; read line; echo "$line"; ${FOREVER}`);
    earlier.close();
    const { root, bundle } = layout.container(id);
    rmSync(bundle, { recursive: true });
    // By an agent that died while it found its way to it.
    mkdirSync(bundle);
    expect(host.system.list(join(root, 'b'))).toContain('ctl');

    const runtime = await host.start();
    expect(ofRun()).toBeUndefined();
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'running' });
    expect((await runtime.execSync(id, sh('exit 4'), 20_000)).exitCode).toBe(4);
    const terminal = await runtime.exec(id, { command: sh('exit 5'), tty: true, stdin: true });
    terminal.stdout.resume();
    expect(await terminal.exit).toBe(5);
    const session = await runtime.attach(id, { stdin: true });
    session.stdin?.write('heard\n');
    await until(() => readFileSync(join(host.folder, 'l'), 'utf8').includes('heard'));
    session.kill();
    await runtime.reopenLog(id);
    await runtime.stopContainer(id, 0);
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 137 });
    await runtime.removeContainer(id);
    expect([root, bundle].filter((path) => host.system.exists(path))).toEqual([]);
    expect(host.system.mounts().filter(({ mountPoint }) => mountPoint.includes(id))).toEqual([]);
  });

  it('makes no container when its memory is full, says so, and makes it once there is room', async () => {
    const runtime = await host.start();
    const sandboxId = await runtime.runSandbox(sandbox);
    const ending = await run(runtime, 'read line; exit 3', { attempt: 1 });
    const filler = join(layout.run, 'filler');
    await host.system.run('mount', ['-o', 'remount,size=4m', layout.run]);
    await host.system
      .run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k', 'count=100'])
      .catch(() => undefined);
    await expect(create(runtime, FOREVER)).rejects.toThrow(/no space left/i);
    expect(await runtime.listContainers()).toMatchObject([{ id: ending }]);
    expect(host.system.list(layout.bundles)).toEqual([ending]);
    const session = await runtime.attach(ending, { stdin: true });
    session.stdin?.write('end\n');
    await until(async () => (await runtime.containerStatus(ending))?.state === 'exited');
    expect(await runtime.containerStatus(ending)).toMatchObject({ exitCode: 3, reason: 'Error' });
    truncateSync(filler, 0);
    expect(await runtime.runSandbox(sandbox)).toBe(sandboxId);
    const id = await run(runtime, FOREVER);
    expect(await runtime.containerStatus(id)).toMatchObject({ state: 'running' });
  });

  it('blames no container for a memory that is full, whatever room is left for it', async () => {
    const runtime = await host.start();
    await runtime.runSandbox(sandbox);
    const filler = join(layout.run, 'filler');
    await host.system.run('mount', ['-o', 'remount,size=1m', layout.run]);
    const reasons: string[] = [];
    const createIn = async (pages: number) => {
      const { bfree, bsize } = statfsSync(layout.run);
      await host.system.run('fallocate', ['-l', `${(bfree - pages) * bsize}`, filler]);
      const made = create(runtime, FOREVER).finally(() => rmSync(filler));
      return made.catch(({ reason, message }: RuntimeError) => void reasons.push(reason, message));
    };
    let id: string | void = undefined;
    for (let pages = 0; id === undefined && pages < 64; pages++) id = await createIn(pages);
    expect(await runtime.containerStatus(id ?? '')).toMatchObject({ state: 'created' });
    const said = reasons.filter((each) => each !== 'CreateContainerError').join('\n');
    expect(said.match(/^runc create failed: .*init state/m)).not.toBeNull();
    expect(said.match(/^runc create failed: .*no space left/m)).not.toBeNull();
    await runtime.startContainer(id ?? '');
  });
});

/** Has conmon and runc work where an earlier agent's layout had them. */
function asBefore(system: System, layout: Layout): System {
  return {
    ...system,
    spawn: (command, args, options) => {
      if (command !== 'conmon') return system.spawn(command, args, options);
      const { root, bundle, rootfs } = layout.container(args[args.indexOf('-c') + 1] ?? '');
      for (const name of ['b', 'm', 'p', 'e']) mkdirSync(join(root, name));
      system.mount({ source: rootfs, target: join(root, 'm'), flags: ['bind'] });
      system.unmount(rootfs);
      const spec = readFileSync(join(bundle, 'config.json'), 'utf8');
      writeFileSync(join(root, 'b', 'config.json'), spec.replaceAll(rootfs, join(root, 'm')));
      const then = args.map((arg, i) => (args[i - 1] === '-b' ? join(root, 'b') : arg));
      return system.spawn(command, [...then, '--persist-dir', join(root, 'p')], options);
    },
  };
}
