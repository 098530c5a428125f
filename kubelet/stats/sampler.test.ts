// How often the node is measured.
import { expect, it } from 'vitest';
import { VirtualClock } from '../../base/virtual-clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { NodeAgentOptions } from '../options.ts';
import { Sampler } from './sampler.ts';

/** Measurements in a minute, where each takes so long. */
async function looksInAMinute(tookMs: number): Promise<number> {
  const clock = new VirtualClock();
  let looks = 0;
  const stats = async () => {
    looks += 1;
    if (tookMs > 0) await clock.sleep(tookMs);
    return [];
  };
  const nodeStats = () => ({
    timestampMs: clock.now(),
    cpuUsageNs: 0n,
    memoryWorkingSetBytes: 0,
  });
  const client = { transport: { request: async () => ({}) } };
  const runtime = { stats, nodeStats };
  const options = { clock, runtime, client, nodeName: 'n', logger: silentLogger };
  const ending = new AbortController();
  const running = new Sampler(options as unknown as NodeAgentOptions, () => undefined).run(
    ending.signal,
  );
  await clock.advance(60_000);
  ending.abort();
  await clock.advance(MOST_MS);
  await running;
  return looks;
}

const MOST_MS = 20_000;

it('is once a second where that is cheap', async () => {
  expect(await looksInAMinute(0)).toBe(61);
});

it('is less often where a measurement takes its time, and never rarer than each ten seconds or so', async () => {
  // So that a hundred busy pods, which take some three milliseconds, are still measured each second.
  expect(await looksInAMinute(3)).toBe(61);
  expect(await looksInAMinute(13)).toBe(16);
  expect(await looksInAMinute(500)).toBe(6);
});
