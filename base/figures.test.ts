// Figures in Prometheus' text format: what is counted is shown, and odd labels cannot fill memory.
import { expect, it } from 'vitest';
import { Figures, MAX_SERIES } from './figures.ts';

it('shows counts, levels, distributions and what is read when asked', async () => {
  const figures = new Figures();
  const calls = figures.counter({ name: 'calls_total', help: 'Calls.', labels: ['verb'] });
  calls.of('GET').add();
  calls.of('GET').add(2);
  figures.level({ name: 'open', help: 'Open.' }).of().add(-1);
  const times = figures.histogram({ name: 'took_seconds', help: 'Took.', buckets: [0.1, 1] });
  for (const value of [0.1, 0.5, 7]) times.of().observe(value);
  let size = 1;
  figures.read({ name: 'size', help: 'Size.', labels: ['of'] }, () => [[['"a"\n'], size]]);
  size = 5;
  const lines = (await figures.text()).split('\n');
  for (const line of [
    '# TYPE calls_total counter',
    'calls_total{verb="GET"} 3',
    'open -1',
    '# TYPE took_seconds histogram',
    'took_seconds_bucket{le="0.1"} 1',
    'took_seconds_bucket{le="1"} 2',
    'took_seconds_bucket{le="+Inf"} 3',
    'took_seconds_sum 7.6',
    'took_seconds_count 3',
    String.raw`size{of="\"a\"\n"} 5`,
  ])
    expect(lines).toContain(line);
});

it('lets members beyond the limit share one', async () => {
  const figures = new Figures();
  const family = figures.counter({ name: 'odd_total', help: 'Odd.', labels: ['a', 'b'] });
  for (let i = 0; i < MAX_SERIES + 10; i++) family.of(String(i), 'x').add();
  const shown = (await figures.text()).split('\n').filter((line) => line.startsWith('odd_total'));
  expect(shown).toHaveLength(MAX_SERIES + 1);
  expect(shown).toContain('odd_total{a="other",b="other"} 10');
});
