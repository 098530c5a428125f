// The host of this process, and the one in memory, keep one contract; and what only one of them has.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemRandom } from '../../base/random.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { nodeHostContract } from '../../test/contracts/node-host.ts';
import { networkProbes } from '../probes/probe-action.ts';
import { FakePodNetwork } from '../runtime/fake/fake-network.ts';
import { fileLogs } from '../runtime/fake/log-writer.ts';
import { createLinuxHost } from './linux-host.ts';
import { MemoryHost } from './memory/memory-host.ts';
import { MAX_MEMORY_LOG_BYTES, MemoryLogs } from './memory/memory-logs.ts';

nodeHostContract('linux', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pinnace-host-'));
  const network = new FakePodNetwork();
  const system = createLinuxSystem();
  return {
    host: createLinuxHost({ system, random: systemRandom, network, dataDir }),
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

const facts = {
  cpus: 4,
  memoryBytes: 1,
  storageBytes: 1,
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
