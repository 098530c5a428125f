// What every kind goes through with real kubectl: applied, shown, described, explained, labelled and deleted.
// Invariant: headers and rows are what upstream prints, in its order; AGE stands for an age, TIME for a time.
import { describe, expect, it } from 'vitest';
import type { Kubectl } from '../support/kubectl.ts';

/** What kubectl is to show of an object. */
export interface ShownKind {
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly annotations?: object };
    readonly [field: string]: unknown;
  };
  /** The name that is typed. */
  readonly short: string;
  readonly header: readonly string[];
  readonly row: readonly string[];
  /** Further columns of `-o wide`. */
  readonly wide?: readonly string[];
  /** Their cells. */
  readonly wideRow?: readonly string[];
  readonly described: RegExp;
  /** kubectl cannot see that an apply would change nothing. */
  readonly alwaysPatched?: boolean;
}

/** A row of kubectl's table, by its columns, which end where two spaces or more begin. */
const cellsOf = (line = '') => line.split(/ {2,}/).map((cell) => cell.trim());

const STANDS_FOR: Readonly<Record<string, RegExp>> = {
  AGE: /^\d+s$/,
  TIME: /^\d{4}-.*Z$/,
  // A controller has looked at the volume, or not yet.
  FREE: /^(Pending|Available)$/,
};
const cellLike = (cell: string): unknown => {
  const pattern = STANDS_FOR[cell];
  return pattern === undefined ? cell : expect.stringMatching(pattern);
};

/** Declares the tests of these kinds. */
export function describeShownKinds(k: () => Kubectl, kinds: readonly ShownKind[]): void {
  describe.each(kinds)('$object.kind', (shown) => {
    const { object, short, header, row, wide = [], wideRow, described } = shown;
    const again = shown.alwaysPatched ? / configured\n$/ : / unchanged\n$/;
    const { name } = object.metadata;
    const one = () => [short, name];

    it('is applied, and unchanged when applied again', async () => {
      expect(await k().apply(object)).toMatch(/ created\n$/);
      expect(await k().apply(object)).toMatch(again);
    });

    it('is shown in the columns of upstream', async () => {
      const [head, first] = (await k().ok(['get', ...one()])).split('\n');
      expect(cellsOf(head)).toEqual(header);
      expect(cellsOf(first)).toEqual(row.map(cellLike));
      const all = await k().ok(['get', ...one(), '-o', 'wide']);
      const [wideHead, wideFirst] = all.split('\n');
      expect(cellsOf(wideHead)).toEqual([...header, ...wide]);
      if (wideRow) expect(cellsOf(wideFirst)).toEqual([...row, ...wideRow].map(cellLike));
    });

    it('is described and explained', async () => {
      expect(await k().ok(['describe', ...one()])).toMatch(described);
      expect(await k().ok(['explain', short, '--recursive'])).toMatch(
        new RegExp(`KIND: +${object.kind}\n`),
      );
    });

    it('is labelled, and deleted', async () => {
      await k().ok(['label', ...one(), 'a=b']);
      expect((await k().json(['get', ...one()])).metadata.labels).toMatchObject({ a: 'b' });
      expect(await k().ok(['delete', ...one()])).toMatch(/ deleted/);
      expect((await k().run(['get', ...one()])).stderr).toMatch(/NotFound/);
    });
  });
}
