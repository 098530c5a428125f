// The demo's view: painted over on a terminal, a line a second elsewhere, and plain where no terminal reads it.
import { describe, expect, it } from 'vitest';
import type { TimelineSecond } from './timeline.ts';
import { createView } from './view.ts';

const service = { answered: 80, failed: 0, p50: 1, p99: 9, cpuMillis: 40, replicas: 2, ready: 1 };
const second: TimelineSecond = {
  at: 3,
  length: 1,
  stage: 'calm',
  payment: service,
  catalog: { ...service, failed: 2 },
  bare: 80,
};

function written(isTTY: boolean): string {
  let text = '';
  const out = { isTTY, write: (chunk: string) => ((text += chunk), true) };
  const view = createView(out as unknown as NodeJS.WriteStream);
  view.stage('Calm');
  view.second(second);
  view.second({ ...second, at: 4 });
  view.note('something happened');
  view.summary([{ name: 'a check', ok: true, measured: '1', bar: 'at least 1' }]);
  return text;
}

describe('the view', () => {
  it('paints the same four lines over on a terminal', () => {
    const text = written(true);
    expect(text).toContain('\x1b[4A\x1b[0J');
    expect(text).toContain('1/2 ready');
    expect(text).toContain('2 failed');
    expect(text).toContain('█');
  });

  it('appends plain lines elsewhere', () => {
    const lines = written(false).split('\n');
    expect(lines).toContain('   something happened');
    expect(lines.filter((line) => line.includes('payment 1/2 ready,   80/s'))).toHaveLength(2);
    expect(lines).toContain('ok   a check'.padEnd(47) + ' 1  (at least 1)');
    expect(written(false)).not.toContain('\x1b');
  });
});
