// The parsers of /proc texts.
import { describe, expect, it } from 'vitest';
import { mountOf, parseMountinfo } from './mountinfo.ts';
import { parseProcessStat } from './process-stat.ts';

describe('mountinfo', () => {
  it('reads a line with optional fields and joins both kinds of options', () => {
    const line =
      '36 35 98:0 /m /mnt rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue';
    expect(parseMountinfo(`${line}\n`)).toEqual([
      {
        root: '/m',
        mountPoint: '/mnt',
        type: 'ext3',
        source: '/dev/root',
        options: 'rw,noatime,rw,errors=continue',
        isShared: true,
      },
    ]);
  });

  it('gives back spaces that the kernel has escaped', () => {
    const [entry] = parseMountinfo('1 2 0:1 / /a\\040b rw - tmpfs x\\134y rw');
    expect(entry).toMatchObject({ mountPoint: '/a b', source: 'x\\y' });
    expect(entry).not.toHaveProperty('isShared');
  });

  it('tells which mount a path lies on: the nearest, and the latest of those', () => {
    const lines = ['/ a', '/data b', '/data c', '/data/deep d', '/dat e'];
    const mounts = parseMountinfo(
      lines
        .map((line) => `1 2 0:1 / ${line.split(' ')[0]} rw - t ${line.split(' ')[1]} rw`)
        .join('\n'),
    );
    const sourceOf = (path: string) => mountOf(mounts, path)?.source;
    expect(['/', '/data', '/data/x', '/data/deep/x', '/database'].map(sourceOf)).toEqual([
      'a',
      'c',
      'c',
      'd',
      'a',
    ]);
    expect(mountOf([], '/')).toBeUndefined();
  });

  it('passes over what is no mount line', () => {
    expect(parseMountinfo('nonsense\n\n')).toEqual([]);
  });
});

describe('process stat', () => {
  it('is not misled by brackets and spaces in the name', () => {
    const rest = Array.from({ length: 30 }, (_, i) => String(i + 4)).join(' ');
    expect(parseProcessStat(`7 (a) S (b) c) Z ${rest}`)).toEqual({ state: 'Z', start: '22' });
  });
});
