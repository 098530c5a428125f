// The configuration of an agent: upstream's defaults, and every value that cannot be honoured refused in words.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  configurationOf,
  type KubeletConfiguration,
  msOf,
  resolveConfiguration,
} from './configuration.ts';

it('has the defaults of upstream', () => {
  const all = resolveConfiguration();
  expect(all).toMatchObject({
    maxPods: 110,
    podPidsLimit: -1,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '10%' },
    imageGCHighThresholdPercent: 85,
    imageGCLowThresholdPercent: 80,
    containerLogMaxSize: '10Mi',
    containerLogMaxFiles: 5,
    serializeImagePulls: true,
    seccompDefault: false,
  });
  expect(msOf(all.evictionPressureTransitionPeriod)).toBe(300_000);
  expect(msOf(all.streamingConnectionIdleTimeout)).toBe(4 * 3_600_000);
  expect(Object.isFrozen(all)).toBe(true);
});

it('takes what is given, and leaves what is not', () => {
  const all = resolveConfiguration({ maxPods: 20, imageMinimumGCAge: '90s' });
  expect([all.maxPods, msOf(all.imageMinimumGCAge), all.podPidsLimit]).toEqual([20, 90_000, -1]);
});

it('replaces all thresholds by those given, unless they are to be merged', () => {
  const given = { evictionHard: { 'memory.available': '1Gi' } } as const;
  expect(resolveConfiguration(given).evictionHard).toEqual(given.evictionHard);
  const merged = resolveConfiguration({ ...given, mergeDefaultEvictionSettings: true });
  expect(merged.evictionHard).toMatchObject({
    'memory.available': '1Gi',
    'nodefs.available': '10%',
  });
});

it.each<[unknown, RegExp]>([
  [{ maxPods: -1 }, /maxPods -1 must be a whole number from 0/],
  [{ maxPods: '110' }, /maxPods "110" must be a whole number/],
  [{ cgroupDriver: 'systemd' }, /cgroupDriver is no field that this agent honours/],
  [{ imageMinimumGCAge: '2 minutes' }, /must be a duration, such as 30s/],
  [{ imageMinimumGCAge: '-1s' }, /must be 0s or more/],
  [{ crashLoopBackOff: { maxContainerRestartPeriod: '1h' } }, /must be from 1s to 300s/],
  [{ crashLoopBackOff: { other: '1s' } }, /has other, which is not known here/],
  [{ containerLogMaxSize: '0' }, /must be a quantity above zero/],
  [{ evictionHard: { 'memory.free': '1Gi' } }, /has memory.free, which is not known here/],
  [{ evictionHard: { 'memory.available': '101%' } }, /percentage from 0% to 100%/],
  [{ evictionSoft: { 'memory.available': '1Gi' } }, /needs a duration in evictionSoftGracePeriod/],
  [{ systemReserved: { cpu: 'much' } }, /has a cpu that must be a quantity/],
  [{ systemReserved: { gpu: '1' } }, /has gpu, which is not known here/],
  [{ staticPodPath: 'manifests' }, /must be a path from the root/],
  [{ allowedUnsafeSysctls: ['net.*.x'] }, /must be a list of names of sysctls/],
  [{ seccompDefault: 'yes' }, /must be true or false/],
  [{ imageGCLowThresholdPercent: 85 }, /must be less than imageGCHighThresholdPercent 85/],
  [{ shutdownGracePeriodCriticalPods: '5s' }, /must not be more than shutdownGracePeriod 0s/],
  [{ shutdownGracePeriod: '500ms' }, /must be either 0s or 1s and more/],
  [{ maxParallelImagePulls: 3 }, /unless serializeImagePulls is false/],
])('refuses %o', (given, message) => {
  expect(() => resolveConfiguration(given as Partial<KubeletConfiguration>)).toThrow(message);
});

it('reads a document of its own kind only', () => {
  const head = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };
  expect(configurationOf({ ...head, maxPods: 5 })).toEqual({ maxPods: 5 });
  expect(() => configurationOf({ ...head, kind: 'Pod' })).toThrow(
    /kind must be KubeletConfiguration/,
  );
  expect(() => configurationOf({ maxPods: 5 })).toThrow(/apiVersion must be/);
  expect(() => configurationOf([])).toThrow(/not an object/);
  expect(() => configurationOf({ ...head, maxPods: 'x' })).toThrow(/maxPods/);
});

it('is told field by field in its page of the documentation', () => {
  const page = readFileSync(new URL('../docs/kubelet-configuration.md', import.meta.url), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    Array.from((row.split('|')[1] ?? '').matchAll(/`(\w+)`/g), ([, name]) => name),
  );
  expect(new Set(named)).toEqual(new Set(Object.keys(resolveConfiguration())));
  expect(named).toHaveLength(new Set(named).size);
});
