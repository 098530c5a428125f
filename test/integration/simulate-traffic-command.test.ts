// `pinnace simulate traffic`: files in, a table, a page with charts and everything that was recorded out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandFailure } from '../../cli/commands/command-failure.ts';
import { compareTraffic, type TrafficFlags } from '../../cli/commands/simulate-traffic.ts';
import type { TrafficReport } from '../../testing/index.ts';
import { runPinnace } from '../support/pinnace.ts';

const EXAMPLE = 'examples/10-traffic-day';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'traffic-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);
function file(name: string, text: string): string {
  writeFileSync(path(name), text);
  return path(name);
}
const hpa = (name: string) => join(EXAMPLE, `${name}.yaml`);

/** As typed by one who gives a curve and an autoscaler. */
const flagsFor = (curve: string): TrafficFlags => ({
  curve,
  hpa: [hpa('default')],
  cpuMs: '10',
  startSeconds: '30',
  patienceSeconds: '10',
  figuresSeconds: '15',
  request: '500m',
  pace: 'upstream',
  seed: '1',
});

describe('pinnace simulate traffic', () => {
  it('compares autoscalers, and tells the same to the byte again', async () => {
    const rush = file('rush.csv', 'time,rate\n0:00,150\n0:05,150\n0:06,1500\n0:10,1500\n0:15,150');
    const run = async (round: number) => {
      const [out, json] = [path(`${round}.html`), path(`${round}.json`)];
      const files = [
        '--curve',
        rush,
        '--deployment',
        hpa('deployment'),
        '--out',
        out,
        '--json',
        json,
      ];
      const variants = ['--hpa', hpa('default'), '--hpa', hpa('careful')];
      const done = await runPinnace(['simulate', 'traffic', ...files, ...variants]);
      return { ...done, html: readFileSync(out, 'utf8'), json: readFileSync(json, 'utf8') };
    };
    const [first, second] = [await run(1), await run(2)];
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^shop, 15 min, seed 1 +default +careful$/m);
    expect(first.stdout).toContain(`charts: ${path('1.html')}\n`);
    expect(first.html).toMatch(/^<!doctype html>.*<svg .*<\/html>\n$/s);
    expect(second.html).toBe(first.html);
    expect(second.json).toBe(first.json);
    const { variants } = JSON.parse(first.json) as TrafficReport;
    const [usual, careful] = variants.map(({ summary }) => summary);
    expect(variants.map(({ name }) => name)).toEqual(['default', 'careful']);
    expect(careful?.lost).toBeGreaterThan(usual?.lost ?? Infinity);
    expect(careful?.peakReplicas).toBeLessThan(usual?.peakReplicas ?? 0);
  });

  it('needs a curve and an autoscaler', async () => {
    const { code, stderr } = await runPinnace(['simulate', 'traffic', '--curve', 'x.csv']);
    expect(code).toBe(2);
    expect(stderr).toContain("required option '--hpa <file>'");
  });

  it.each<[string, Partial<TrafficFlags>, string | RegExp]>([
    [
      'a curve that is not there',
      { curve: 'none.csv' },
      /^the curve none\.csv cannot be read: ENOENT/,
    ],
    [
      'an autoscaler that is not there',
      { hpa: ['none.yaml'] },
      'the path "none.yaml" does not exist',
    ],
    [
      'the wrong file',
      { hpa: [hpa('deployment')] },
      'has 0 objects of kind HorizontalPodAutoscaler',
    ],
    ['a speed of its own', { pace: 'fast' }, '--pace takes upstream or pinnace, not "fast"'],
    ['words', { cpuMs: 'much' }, '--cpu-ms takes a number, not "much"'],
    ['a made Deployment without limits', {}, 'Give service.capacityPerPod'],
  ])('refuses %s, and says what to do', async (_, flags, message) => {
    const curve = file('flat.csv', '0,1\n60,1');
    const asked = compareTraffic({ ...flagsFor(curve), ...flags });
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(CommandFailure);
  });

  it.each([
    ['0,1\n60,-1', /broken\.csv line 2: -1 requests per second are fewer than none/],
    ['60,1\n0,1', /broken\.csv line 2 is not later than the line before it: sort the lines/],
    ['0,1\n60,1\n120,1\n1200,1', /broken\.csv line 4 comes 1080 s after .* \(--interpolate\)/],
  ])('refuses the curve %j with its line', async (text, message) => {
    const asked = compareTraffic(flagsFor(file('broken.csv', text)));
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(CommandFailure);
  });

  it('tells what the server says of an autoscaler', async () => {
    const text = readFileSync(hpa('default'), 'utf8').replace('maxReplicas: 60', 'maxReplicas: 1');
    const small = file('small.yaml', text);
    const flat = file('flat.csv', '0,1\n60,1');
    const { code, stderr } = await runPinnace([
      'simulate',
      'traffic',
      '--curve',
      flat,
      '--hpa',
      small,
      '--capacity',
      '9',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: the autoscaler of variant "small" is refused: HorizontalPodAutoscaler\.autoscaling "shop" is invalid: spec\.maxReplicas: .*\n$/,
    );
  });
});
