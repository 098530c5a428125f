// Which runtime runs a node's containers: what may be asked for, and what later starts keep.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../base/random.ts';
import { createLinuxSystem } from '../../system/linux.ts';
import { settleFacts } from './cluster.ts';
import { checkRuntimeEndpoint } from './container-runtime.ts';
import { dataPaths, prepareDataDirectory, UsageError } from './data-directory.ts';

const SOCKET = 'unix:///run/some.sock';

describe('the endpoint of a container runtime', () => {
  const system = { ...createLinuxSystem(), exists: (path: string) => path === '/run/some.sock' };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pinnace-endpoint-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['/run/some.sock', /it is a socket's path, such as unix:\/\/\/run\//],
    ['unix://run/some.sock', /it is a socket's path/],
    ['tcp://127.0.0.1:1', /it is a socket's path/],
    ['unix:///run/none.sock', /there is no socket; is the runtime running\?/],
  ])('is refused as %s, in words that help', (endpoint, why) => {
    const check = () => checkRuntimeEndpoint(system, endpoint);
    expect(check).toThrow(UsageError);
    expect(check).toThrow(why);
    expect(() => checkRuntimeEndpoint(system, SOCKET)).not.toThrow();
  });

  it('is kept for later starts, until another one or none is asked for', async () => {
    const paths = dataPaths(folder);
    prepareDataDirectory(paths);
    const start = async (containerRuntimeEndpoint?: string) => {
      const asked = { port: 0, containerRuntimeEndpoint };
      const facts = await settleFacts(paths, { system, random: systemRandom }, asked);
      return facts.containerRuntimeEndpoint;
    };
    expect(await start()).toBeUndefined();
    expect(await start(SOCKET)).toBe(SOCKET);
    expect(await start()).toBe(SOCKET);
    expect(await start('')).toBeUndefined();
    expect(await start()).toBeUndefined();
  });
});
