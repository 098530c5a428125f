// The admission configuration that the API server is given: read with its kubeconfigs, kept for later starts, or refused in one line.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keepAdmissionConfig, keptAdmissionConfig } from './admission-config.ts';
import { type DataPaths, dataPaths } from './data-directory.ts';

let dir: string;
let paths: DataPaths;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinnace-admission-config-'));
  paths = dataPaths(join(dir, 'data'));
  mkdirSync(paths.root);
  file = join(dir, 'given.yaml');
  writeFileSync(join(dir, 'users.yaml'), 'users: [{name: "*", user: {token: secret}}]');
  writeFileSync(join(dir, 'others.yaml'), 'users: [{name: "*", user: {token: other}}]');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const HEAD = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration' };
const webhooks = (kubeConfigFile: string, more: object = {}) => ({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'WebhookAdmissionConfiguration',
  kubeConfigFile,
  ...more,
});
const give = (...plugins: readonly object[]) => {
  writeFileSync(file, JSON.stringify({ ...HEAD, plugins }));
  return keepAdmissionConfig(paths, file);
};

describe('An admission configuration', () => {
  it('says how webhooks of each sort are called, in this file and in others', async () => {
    writeFileSync(join(dir, 'plugin.yaml'), JSON.stringify(webhooks('others.yaml')));
    await give(
      { name: 'MutatingAdmissionWebhook', configuration: webhooks('users.yaml') },
      { name: 'ValidatingAdmissionWebhook', path: 'plugin.yaml' },
    );
    const kept = await keptAdmissionConfig(paths);
    expect(await kept.mutating?.get('*')?.authorization?.()).toBe('Bearer secret');
    expect(await kept.validating?.get('*')?.authorization?.()).toBe('Bearer other');
    expect(readFileSync(paths.admissionConfig, 'utf8')).not.toContain('secret');
  });

  it('is none until one is given, and none again after an empty one', async () => {
    expect(await keptAdmissionConfig(paths)).toEqual({});
    await give({ name: 'MutatingAdmissionWebhook', configuration: webhooks('users.yaml') });
    await keepAdmissionConfig(paths, '');
    expect(await keptAdmissionConfig(paths)).toEqual({});
  });

  it('is refused at a later start where it is wrong by then', async () => {
    await give({ name: 'MutatingAdmissionWebhook', configuration: webhooks('users.yaml') });
    rmSync(join(dir, 'users.yaml'));
    await expect(keptAdmissionConfig(paths)).rejects.toThrow(/given\.yaml: .*users\.yaml: ENOENT/);
    rmSync(file);
    await expect(keptAdmissionConfig(paths)).rejects.toThrow(/given\.yaml: ENOENT/);
    writeFileSync(paths.admissionConfig, 'odd');
    await expect(keptAdmissionConfig(paths)).rejects.toThrow(/cannot be read.*"" for none/);
  });

  const hook = 'MutatingAdmissionWebhook';
  it.each([
    [{ kind: 'Other' }, /kind "Other" in undefined; it has to be AdmissionConfiguration/],
    [{ ...HEAD, plugin: [] }, /the file has plugin, which is not supported; known are .*plugins/],
    [{ ...HEAD, plugins: {} }, /plugins is not a list/],
    [{ ...HEAD, plugins: [null] }, /plugins\[0\] is empty, or not a mapping/],
    [{ ...HEAD, plugins: [{ name: 'EventRateLimit' }] }, /plugins\[0\]\.name is "EventRateLimit"/],
    [{ ...HEAD, plugins: [{ name: hook }] }, /plugins\[0\]\.configuration is empty/],
    [{ ...HEAD, plugins: [{ name: hook, path: 'gone' }] }, /ENOENT.*gone/],
    [
      { ...HEAD, plugins: [{ name: hook, path: 'a', configuration: {} }] },
      /plugins\[0\] has a path and a configuration/,
    ],
    [
      { ...HEAD, plugins: [{ name: hook, configuration: { ...HEAD } }] },
      /plugins\[0\]\.configuration is of kind "AdmissionConfiguration"/,
    ],
    [
      { ...HEAD, plugins: [{ name: hook, configuration: webhooks('') }] },
      /plugins\[0\]\.configuration has no kubeConfigFile/,
    ],
    [
      {
        ...HEAD,
        plugins: [{ name: hook, configuration: webhooks('a', { staticManifestsDir: '/x' }) }],
      },
      /has staticManifestsDir, which is not supported/,
    ],
  ])('is refused where it says %j', async (document, why) => {
    writeFileSync(file, JSON.stringify(document));
    await expect(keepAdmissionConfig(paths, file)).rejects.toThrow(why);
    await expect(keepAdmissionConfig(paths, file)).rejects.toThrow(
      /^--admission-control-config-file \S+given\.yaml: [^\n]+$/,
    );
    expect(await keptAdmissionConfig(paths)).toEqual({});
  });

  it('is refused where one plugin is there twice, and where it is no YAML', async () => {
    const plugin = { name: hook, configuration: webhooks('users.yaml') };
    await expect(give(plugin, plugin)).rejects.toThrow(/plugins\[1\]: Mutating\w+ is there twice/);
    writeFileSync(file, 'a: [');
    await expect(keepAdmissionConfig(paths, file)).rejects.toThrow(/given\.yaml: /);
  });
});
