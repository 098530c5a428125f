// Tests of figures without a library: the text is what prom-client writes of the same figures.
import { expect, it } from 'vitest';
import { Figures } from './figures.ts';
import { metricText } from './metric-text.ts';
import { TextFigures } from './text-figures.ts';

function fill(figures: Figures | TextFigures): void {
  const options = { name: 'asked_total', help: 'A \\ help\nin two lines.', labels: ['path'] };
  const asked = figures.counter(options);
  asked.of('/a"b\\c\nd').add();
  asked.of('/e').add(2.5);
  const spread = { name: 'took_seconds', help: 'Times.', labels: ['verb'], buckets: [0.1, 1] };
  const took = figures.histogram(spread);
  for (const value of [0.05, 0.1, 0.5, 7]) took.of('get').observe(value);
  figures.read({ name: 'now', help: 'Now.' }, () => [[[], 1e21]]);
  figures.read({ name: 'later', help: 'Later.', labels: ['a', 'b'] }, async () => [
    [['x', 'y'], Infinity],
  ]);
}

it('is what prom-client writes', async () => {
  const [ours, theirs] = [new TextFigures(), new Figures()];
  fill(ours);
  fill(theirs);
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const expected = lines(await theirs.text()).map((line) => line.replace(/ Infinity$/, ' +Inf'));
  expect(lines(await ours.text())).toEqual(expected);
});

it('a line may tell when it was so, and a family without lines is left out', () => {
  const empty = { name: 'none', help: 'None.', type: 'gauge', lines: [] } as const;
  const lines = [{ value: 1, atMs: 1700000000123.9 }, { value: Number.NaN }];
  expect(metricText([empty, { ...empty, name: 'some', lines }])).toBe(
    '# HELP some None.\n# TYPE some gauge\nsome 1 1700000000123\nsome NaN\n',
  );
  expect(metricText([empty])).toBe('');
});
