// docs/guide/traffic.md does what it says: its code, on whole clusters.
import { afterAll, expect, it } from 'vitest';
import type { TrafficReport } from '../../testing/index.ts';
import { guideFiles } from '../support/guide.ts';

const guide = guideFiles('docs/guide/traffic.md');
afterAll(() => guide.remove());

it('has right types', async () => {
  expect(guide.names).toEqual(['rush.ts']);
  expect(await guide.faults()).toBe('');
});

it('shows what a slow autoscaler loses in a rush', async () => {
  const { compareRush } = await guide.load<{
    compareRush: () => Promise<{ report: TrafficReport; table: string }>;
  }>('rush.ts');
  const { report, table } = await compareRush();
  const [usual, slow] = report.variants.map(({ summary }) => summary);
  expect(slow?.lost).toBeGreaterThan(usual?.lost ?? Infinity);
  expect(slow?.podHours).toBeLessThan(usual?.podHours ?? 0);
  expect(table).toContain('pod-hours');
});
