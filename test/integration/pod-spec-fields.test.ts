// Every field of PodSpec is done, refused, or told to be missing: held against the generated schema, the scenarios and docs/node.md.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { topics, topicsOn } from '../lives/all.ts';
import { type Fate, POD_SPEC_FIELDS } from '../lives/pod-spec-fields.ts';
import {
  type FieldName,
  fieldsUsedBy,
  holdersOf,
  reachableFields,
} from '../lives/pod-spec-schema.ts';
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

/** Fewer than these would leave the agent's promises untold. */
const FEWEST_LIVES = 150;

it.each(['embedded', 'containerd'] as const)('has enough pod lives on %s', (runtime) => {
  const lives = topicsOn(runtime).flatMap(({ scenarios }) => scenarios);
  expect(lives.length).toBeGreaterThanOrEqual(FEWEST_LIVES);
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

it('takes no bare word for the use of a field', () => {
  const says = (text: string, field: FieldName) => usesField(text, field);
  expect(says("it('knows tolerations and their priority')", 'PodSpec.priority')).toBe(false);
  expect(says('aPod({ priority: 7 })', 'PodSpec.priority')).toBe(true);
  expect(says('expect(pod.spec?.priority)', 'PodSpec.priority')).toBe(true);
  expect(says("apiVersion: 'v1'", 'ObjectFieldSelector.apiVersion')).toBe(false);
  expect(says("fieldRef: { apiVersion: 'v1' }", 'ObjectFieldSelector.apiVersion')).toBe(true);
  expect(says('ObjectFieldSelector.apiVersion', 'ObjectFieldSelector.apiVersion')).toBe(true);
});

it('shows the same in docs/node.md', () => {
  const page = readFileSync(join(root, NODE_PAGE), 'utf8');
  expect(page, 'write it by: node tools/node-fields.ts').toBe(withTables(page, fieldTables()));
});

/** Named with its type, or given a value or looked at as a field; its bare name may be any other word. */
function isNamedIn(field: FieldName, path: string | undefined): boolean {
  if (path === undefined || !existsSync(join(root, path))) return false;
  return usesField(readFileSync(join(root, path), 'utf8'), field);
}

/** Names that objects of many kinds have: these count with their type, or beside a key that leads to it. */
const COMMON = ['apiVersion', 'kind', 'name', 'namespace', 'path', 'type', 'value', 'key', 'uid'];

function usesField(text: string, field: FieldName): boolean {
  const [type = '', name = ''] = field.split('.');
  if (new RegExp(`\\b${type}\\.${name}\\b`).test(text)) return true;
  const use = `(?:\\b${name}['"]?\\s*:|\\.${name}\\b|\\{ ${name} \\})`;
  const holder = COMMON.includes(name) ? `\\b(?:${holdersOf(type).join('|')})\\b.*` : '';
  return text.split('\n').some((line) => new RegExp(holder + use).test(line));
}
