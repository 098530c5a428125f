// The configuration that `pinnace up --kubelet-config` is given: kept for later starts, or refused in one line.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DataPaths, dataPaths } from './data-directory.ts';
import { keepKubeletConfig, keptKubeletConfig } from './kubelet-config.ts';

let dir: string;
let paths: DataPaths;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinnace-kubelet-config-'));
  paths = dataPaths(dir);
  file = join(dir, 'given.yaml');
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

const HEAD = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';

it('holds for later starts, beside what a cluster on one machine keeps for itself', async () => {
  expect(keptKubeletConfig(paths)).toMatchObject({
    kubeReserved: { cpu: '100m', memory: '256Mi' },
    evictionHard: { 'nodefs.available': '1Gi' },
  });
  writeFileSync(file, `${HEAD}maxPods: 17\n`);
  await keepKubeletConfig(paths, file);
  rmSync(file);
  expect(keptKubeletConfig(paths)).toMatchObject({ maxPods: 17, kubeReserved: { cpu: '100m' } });
});

it('is read as JSON, too, and goes before our own', async () => {
  const kubeReserved = { cpu: '1' };
  const head = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };
  writeFileSync(file, JSON.stringify({ ...head, kubeReserved }));
  await keepKubeletConfig(paths, file);
  expect(keptKubeletConfig(paths)).toMatchObject({ kubeReserved });
});

it.each([
  ['a: [', /--kubelet-config .*given.yaml: /],
  [`${HEAD}maxPods: many\n`, /maxPods "many" must be a whole number/],
  ['kind: Pod\n', /apiVersion must be kubelet.config.k8s.io\/v1beta1/],
  ['', /it is not an object/],
])('is refused as %j, and what was kept stays', async (text, message) => {
  writeFileSync(file, `${HEAD}maxPods: 17\n`);
  await keepKubeletConfig(paths, file);
  writeFileSync(file, text);
  await expect(keepKubeletConfig(paths, file)).rejects.toThrow(message);
  expect(keptKubeletConfig(paths)).toMatchObject({ maxPods: 17 });
});

it('names the file that is not there, and the kept one that is broken', async () => {
  await expect(keepKubeletConfig(paths, file)).rejects.toThrow(/given.yaml: ENOENT/);
  writeFileSync(paths.kubeletConfig, '{');
  expect(() => keptKubeletConfig(paths)).toThrow(/cannot be read .*give another/);
});
