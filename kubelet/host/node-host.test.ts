// The host of this process, and the one in memory, keep one contract; and what only one of them has.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Pod } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { systemRandom } from '../../base/random.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { nodeHostContract } from '../../test/contracts/node-host.ts';
import { networkProbes } from '../probes/probe-action.ts';
import { FakePodNetwork } from '../runtime/fake/fake-network.ts';
import { fileLogs } from '../runtime/fake/log-writer.ts';
import { createLinuxHost } from './linux-host.ts';
import { MemoryHost } from './memory/memory-host.ts';
import { MAX_MEMORY_LOG_BYTES, MemoryLogs } from './memory/memory-logs.ts';

const doors = { clock: systemClock, random: systemRandom };

nodeHostContract('linux', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-host-'));
  const network = new FakePodNetwork();
  const system = createLinuxSystem();
  return {
    host: createLinuxHost({ ...doors, system, network, dataDir }),
    writer: fileLogs,
    contentOf: (path) =>
      Object.fromEntries(
        readdirSync(path)
          .filter((name) => !name.startsWith('..'))
          .map((name) => [name, readFileSync(join(path, name), 'utf8')]),
      ),
    dispose: () => rmSync(dataDir, { recursive: true, force: true }),
  };
});

const MIB = 2 ** 20;

const facts = {
  cpus: 4,
  memoryBytes: 1,
  storageBytes: 1,
  hasAppArmor: false,
  architecture: 'amd64',
  kernelVersion: '',
  osImage: '',
  machineId: '',
  bootId: '',
  systemUuid: '',
};

nodeHostContract('memory', () => {
  const host = new MemoryHost({ facts, probes: networkProbes });
  return {
    host,
    writer: host.logs,
    contentOf: (_, podUid, volume) =>
      Object.fromEntries(
        host.volumes
          .filesOf({ podUid, volume })
          .map(({ path, content }) => [path, Buffer.from(content).toString()]),
      ),
    dispose: () => undefined,
  };
});

it('this host walks what a pod has written, and nothing of others', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-host-'));
  const network = new FakePodNetwork();
  const all = { ...doors, system: createLinuxSystem(), network, dataDir };
  try {
    const host = createLinuxHost(all);
    host.prepare();
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'web', uid: 'uid-1' },
      spec: {
        containers: [{ name: 'app', image: 'app:1' }],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    };
    const spec = { inMemory: false, sizeBytes: 0, group: undefined };
    const data = host.volumes.emptyDir({ podUid: 'uid-1', volume: 'data' }, spec);
    writeFileSync(join(data, 'big'), Buffer.alloc(MIB, 1));
    const log = host.logs.pathOf(pod, 'app', 0);
    fileLogs.begin(log);
    writeFileSync(log, 'x'.repeat(MIB / 2));
    const bytes = await host.usage.of(pod, 'bytes');
    expect(bytes.volumes.get('data')).toBeGreaterThanOrEqual(MIB);
    expect(bytes.volumes.get('data')).toBeLessThan(2 * MIB);
    expect(bytes.logs.get('app')).toBeGreaterThanOrEqual(MIB / 2);
    expect((await host.usage.of(pod, 'inodes')).volumes.get('data')).toBe(2);
    // A directory that is not there keeps no other from being walked.
    const gone = { ...pod, spec: { containers: [{ name: 'gone', image: 'app:1' }] } };
    const [, again] = await Promise.all([
      host.usage.of(gone, 'bytes'),
      host.usage.of(pod, 'bytes'),
    ]);
    expect(again).toEqual(bytes);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

it('a log in memory keeps its newest lines only', async () => {
  const logs = new MemoryLogs();
  const path = '/logs/a_b_c/app/0.log';
  logs.begin(path);
  const line = 'x'.repeat(1024);
  const most = MAX_MEMORY_LOG_BYTES / line.length;
  for (let n = 0; n < most + 10; n++) logs.append(path, line);
  const batches: number[] = [];
  for await (const lines of logs.lines(path, {})) batches.push(lines.length);
  expect(batches).toEqual([most]);
});
