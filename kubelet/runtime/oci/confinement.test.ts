// What real containers may touch of the host, seen from within; and what is said of those that cannot be made. Needs root, runc and conmon.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anOciHost, type OciHost, sh } from '../../../test/support/oci-host.ts';
import { aContainer, aSandbox } from '../../../test/support/runtime-configs.ts';
import type { ContainerConfig, ContainerSecurity } from '../runtime.ts';
import type { OciRuntime } from './oci-runtime.ts';
import { MAX_PROFILE_BYTES } from './seccomp-file.ts';

let host: OciHost;
let runtime: OciRuntime;
beforeAll(async () => {
  host = await anOciHost();
  runtime = await host.start();
});
afterAll(() => host.dispose());

let count = 0;
const plain = aContainer({ name: '', imageId: '', command: [], logPath: '' }).security;
const forever = sh('while :; do sleep 1; done');

async function create(parts: Partial<ContainerConfig>): Promise<string> {
  const sandbox = aSandbox(`p${(count += 1)}`, { hostNetwork: true });
  const sandboxId = await runtime.runSandbox(sandbox);
  const logPath = join(host.folder, `${count}.log`);
  const config = { name: 'main', imageId: host.shell.id, command: forever, logPath, ...parts };
  return runtime.createContainer(sandboxId, sandbox, aContainer(config));
}

async function run(security: Partial<ContainerSecurity>, parts: Partial<ContainerConfig> = {}) {
  const id = await create({ security: { ...plain, ...security }, ...parts });
  await runtime.startContainer(id);
  return async (script: string) => {
    const { stdout, stderr } = await runtime.execSync(id, sh(script), 20_000);
    return Buffer.from(stdout).toString() + Buffer.from(stderr).toString();
  };
}

function profile(name: string, content: string): { localhostProfile: string } {
  const folder = join(host.folder, 'seccomp');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), content);
  return { localhostProfile: join(folder, name) };
}

describe('a seccomp profile of the host', () => {
  it('decides which calls may be made', async () => {
    const content = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['utimensat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }],
    };
    const say = await run({ seccomp: profile('strict.json', JSON.stringify(content)) });
    expect(await say('cat /proc/self/status')).toMatch(/^Seccomp:\s*2$/m);
    const free = await run({ seccomp: 'Unconfined' });
    expect(await free('cat /proc/self/status')).toMatch(/^Seccomp:\s*0$/m);
  });

  it.each([
    ['missing.json', undefined, /cannot load seccomp profile ".*missing.json": no such file/],
    ['text.json', 'not json', /it is not JSON/],
    ['list.json', '[]', /it is not a JSON object/],
    ['action.json', '{"defaultAction":"ALLOW"}', /its defaultAction is no action/],
    ['rules.json', '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{}]}', /not a list of rules/],
    ['long.json', ' '.repeat(MAX_PROFILE_BYTES + 1), /more than 1048576/],
  ])('that cannot be used is refused in words: %s', async (name, content, why) => {
    const seccomp =
      content === undefined
        ? { localhostProfile: join(host.folder, 'seccomp', name) }
        : profile(name, content);
    const made = create({ security: { ...plain, seccomp } });
    await expect(made).rejects.toMatchObject({ reason: 'CreateContainerError' });
    await expect(made).rejects.toThrow(why);
  });
});

it('a privileged container has the devices of the host, and may write to what others read', async () => {
  const say = await run({ privileged: true, seccomp: 'Unconfined' });
  const status = await say('cat /proc/self/status');
  const own = host.system.read('/proc/self/status') ?? '';
  const bounding = (text: string) => /^CapBnd:\s*(\w+)$/m.exec(text)?.[1];
  expect(bounding(status)).toBe(bounding(own));
  expect(status).toMatch(/^Seccomp:\s*0$/m);
  const names = (await say('ls /dev')).split('\n');
  for (const { path } of host.system.devices('/dev'))
    if (!/^\/dev\/(console|ptmx)$/.test(path)) expect(names).toContain(path.split('/')[2]);
  const mounts = await say('cat /proc/self/mountinfo');
  expect(mounts).toMatch(/ \/sys rw/);
  expect(mounts).not.toMatch(/ \/proc\/\S+ /);
});

it('a container has the devices that it is given, for what it may do with them, and no others', async () => {
  const device = { hostPath: '/dev/zero', containerPath: '/dev/mine', permissions: 'r' };
  const loops = { hostPath: '/dev/loop-control', containerPath: '/dev/loops', permissions: 'r' };
  const say = await run({}, { devices: [device, loops] });
  expect(await say('ls -ln /dev/mine')).toMatch(/^c.* 1, +5 /);
  expect(await say('(: < /dev/loops) && echo read; (: > /dev/loops) || echo refused')).toMatch(
    /read[^]*refused/,
  );
  const none = create({ devices: [{ ...device, hostPath: '/dev/none' }] });
  await expect(none).rejects.toThrow('this node has no device /dev/none');
});

it('a mount that is read-only with all below it is so, where one that is read-only alone is not', async () => {
  const folder = join(host.folder, 'deep');
  mkdirSync(join(folder, 'below'), { recursive: true });
  host.system.mount({ source: 'tmpfs', target: join(folder, 'below'), type: 'tmpfs' });
  try {
    const mount = { hostPath: folder, readOnly: true };
    const mounts = [
      { ...mount, containerPath: '/flat' },
      { ...mount, containerPath: '/deep', recursiveReadOnly: true },
    ];
    const say = await run({}, { mounts });
    const write = (path: string) => `(echo x > ${path}) 2>/dev/null && echo wrote || echo refused;`;
    const script = ['/flat/a', '/flat/below/a', '/deep/below/b'].map(write).join(' ');
    expect(await say(script)).toBe('refused\nwrote\nrefused\n');
  } finally {
    host.system.unmount(join(folder, 'below'));
  }
});

it('capabilities of another user than root are not in effect, and nothing brings them back', async () => {
  const say = await run({ runAsUser: 1500, noNewPrivileges: true, addCapabilities: ['NET_ADMIN'] });
  const status = await say('cat /proc/self/status');
  expect(status).toMatch(/^CapEff:\s*0+$/m);
  expect(status).toMatch(/^CapAmb:\s*0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
});

describe('a container that cannot begin', () => {
  const startOf = async (parts: Partial<ContainerConfig>) => {
    const id = await create(parts);
    return runtime.startContainer(id);
  };

  it.each<[string, Partial<ContainerConfig>, RegExp]>([
    [
      'a command that is not there',
      { command: ['nope'] },
      /exec: "nope": executable file not found/,
    ],
    [
      'a file that is no program',
      { command: ['/etc/passwd'] },
      /"\/etc\/passwd": permission denied/,
    ],
    [
      'a directory as a command',
      { command: ['/etc'] },
      /"\/etc": (is a directory|permission denied)/,
    ],
    ['a working directory that is a file', { workingDir: '/etc/passwd' }, /not a directory/],
    ['too little memory', { resources: { memoryLimitBytes: 256 * 1024 } }, /memory/],
  ])('says why: %s', async (_, parts, why) => {
    await expect(startOf(parts)).rejects.toThrow(why);
  });
});
