// Every field of PodSpec is done, refused, or told to be missing: held against the generated schema, the scenarios and docs/node.md.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { topics } from '../lives/all.ts';
import { type Fate, POD_SPEC_FIELDS } from '../lives/pod-spec-fields.ts';
import { type FieldName, fieldsUsedBy, reachableFields } from '../lives/pod-spec-schema.ts';
import { fieldTables, NODE_PAGE, withTables } from '../../tools/node-fields.ts';

const root = join(import.meta.dirname, '..', '..');
const fates = new Map<FieldName, Fate>(
  Object.entries(POD_SPEC_FIELDS).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, fate]) => [`${type}.${field}`, fate] as const),
  ),
);
/** Whose inside is told by one line. */
const isWhole = (field: FieldName) => (fates.get(field)?.is ?? 'done') !== 'done';
const reachable = reachableFields(isWhole);

it('knows what becomes of each field of PodSpec', () => {
  expect(reachable.length).toBeGreaterThan(200);
  expect(reachable.filter((field) => !fates.has(field))).toEqual([]);
});

it('knows of no field that PodSpec does not have', () => {
  expect([...fates.keys()].filter((field) => !reachable.includes(field))).toEqual([]);
});

it('has each field that is done used by a scenario, or by the test that it names', () => {
  const used = new Set(
    topics.flatMap(({ scenarios }) =>
      scenarios.filter(({ refused }) => !refused).flatMap((each) => [...fieldsUsedBy(each)]),
    ),
  );
  const unproven = [...fates].filter(
    ([field, fate]) => fate.is === 'done' && !used.has(field) && !isNamedIn(field, fate.by),
  );
  expect(unproven.map(([field]) => field)).toEqual([]);
});

it('has each field that is refused, or somebody else’s, in the test that proves it', () => {
  const unproven = [...fates].filter(
    ([field, fate]) =>
      (fate.is === 'refused' || fate.is === 'elsewhere') && !isNamedIn(field, fate.by),
  );
  expect(unproven.map(([field, fate]) => `${field}: ${'by' in fate ? fate.by : ''}`)).toEqual([]);
});

it('shows the same in docs/node.md', () => {
  const page = readFileSync(join(root, NODE_PAGE), 'utf8');
  expect(page, 'write it by: node tools/node-fields.ts').toBe(withTables(page, fieldTables()));
});

function isNamedIn(field: FieldName, path: string | undefined): boolean {
  if (path === undefined || !existsSync(join(root, path))) return false;
  const [, name = ''] = field.split('.');
  return new RegExp(`\\b${name}\\b`).test(readFileSync(join(root, path), 'utf8'));
}
