// The way to the API server from inside a pod, by files and variables as containers have them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import type { CredentialSource } from '../transport/credentials.ts';
import { inClusterConfig, isInCluster } from './in-cluster.ts';
import { KubeconfigError } from './kubeconfig.ts';

let folder: string;
const environment = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'in-cluster-'));
  write('token', 'first\n');
  write('ca.crt', 'PEM');
  write('namespace', 'shop');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is found in the files and variables of a container', async () => {
  const { namespace, transport } = await inClusterConfig({ environment, folder });
  expect(namespace).toBe('shop');
  expect(transport).toMatchObject({ server: 'https://10.96.0.1:443', ca: 'PEM' });
  const six = { ...environment, KUBERNETES_SERVICE_HOST: 'fd00::1' };
  const other = await inClusterConfig({ environment: six, folder });
  expect(other.transport.server).toBe('https://[fd00::1]:443');
});

it('has the token that is in the file, a minute later at the latest', async () => {
  const clock = new VirtualClock();
  const { transport } = await inClusterConfig({ environment, folder, clock });
  const source = transport.credentials as CredentialSource;
  const token = async () => (await source.current()).token;
  expect(await token()).toBe('first');
  write('token', 'second');
  expect(await token()).toBe('first');
  await clock.advance(60_000);
  expect(await token()).toBe('second');
  write('token', 'third');
  source.refused(await source.current());
  expect(await token()).toBe('third');
});

it('is told to be missing outside of pods, and in pods without a token', async () => {
  expect(isInCluster({ environment: {} })).toBe(false);
  await expect(inClusterConfig({ environment: {}, folder })).rejects.toThrow(/no program in a pod/);
  rmSync(join(folder, 'token'));
  const failing = inClusterConfig({ environment, folder });
  await expect(failing).rejects.toBeInstanceOf(KubeconfigError);
  await expect(failing).rejects.toThrow(/automountServiceAccountToken/);
});
