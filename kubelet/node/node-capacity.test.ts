// Capacity and what of it is for pods, as reservations and thresholds say.
import { expect, it } from 'vitest';
import { type KubeletConfiguration, resolveConfiguration } from '../configuration.ts';
import { limitsOfAllPods, nodeFactsOf, podPidsLimitOf } from './node-capacity.ts';

const MIB = 2 ** 20;
const host = { cpus: 4, memoryBytes: 8192 * MIB, storageBytes: 1000 * MIB };
const allocatable = (given: Partial<KubeletConfiguration>) =>
  nodeFactsOf(host, resolveConfiguration(given)).allocatable;

it('keeps free of pods what upstream keeps free by default', () => {
  expect(allocatable({})).toEqual({
    cpuMillis: 4000,
    memoryBytes: 8092 * MIB,
    storageBytes: 900 * MIB,
  });
});

it('takes off both reservations and the hard thresholds', () => {
  const reserved = { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '100Mi' };
  const given = {
    systemReserved: reserved,
    kubeReserved: { ...reserved, cpu: '0.25' },
    evictionHard: { 'memory.available': '25%', 'nodefs.available': '50Mi' },
  };
  expect(allocatable(given)).toEqual({
    cpuMillis: 3250,
    memoryBytes: 4096 * MIB,
    storageBytes: 750 * MIB,
  });
});

it('never has less than nothing, and heeds no threshold that is off', () => {
  expect(allocatable({ kubeReserved: { cpu: '5' } }).cpuMillis).toBe(0);
  const off = { 'memory.available': '0%', 'nodefs.available': '100%' };
  expect(allocatable({ evictionHard: off })).toMatchObject({
    memoryBytes: 8192 * MIB,
    storageBytes: 1000 * MIB,
  });
});

it.each([
  [-1, 32_768, 4096],
  [-1, 8000, 2000],
  [-1, 4_194_304, 4096],
  [-1, undefined, undefined],
  [100_000, 32_768, 100_000],
  [50, undefined, 50],
])('a pod that is configured to have %s of %s processes gets %s', (configured, most, limit) => {
  expect(podPidsLimitOf(configured, most)).toBe(limit);
});

it('pods together have what is not reserved, and leave the host a quarter of its processes', () => {
  const facts = { ...host, maxProcesses: 32_768 };
  expect(limitsOfAllPods(facts, resolveConfiguration())).toEqual({
    memoryLimitBytes: 8192 * MIB,
    pidsLimit: 24_576,
  });
  const given = { systemReserved: { memory: '1Gi', pid: '1000' } };
  expect(limitsOfAllPods(facts, resolveConfiguration(given))).toEqual({
    memoryLimitBytes: 7168 * MIB,
    pidsLimit: 31_768,
  });
  expect(limitsOfAllPods(host, resolveConfiguration())).toEqual({ memoryLimitBytes: 8192 * MIB });
});
