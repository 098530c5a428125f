// What is different between two definitions of a kind: versions, schemas, names, columns, subresources.
// Invariant: pure; what both leave to the server's defaults is no difference.
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../../api/generated/types.ts';
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import { asStored } from './definition-check.ts';
import { type ChangeSort, schemaChanges } from './schema-diff.ts';

/** One change; `version` is '' where it is about the whole kind. */
export interface DefinitionChange {
  readonly sort: ChangeSort;
  readonly version: string;
  readonly path: string;
  readonly what: string;
}

/** All changes from one definition to another; none where a server would serve the same. How versions are converted is left out. */
export function definitionChanges(
  old: CustomResourceDefinition,
  next: CustomResourceDefinition,
): DefinitionChange[] {
  const [before, after] = [asStored(old).spec, asStored(next).spec];
  const changes: DefinitionChange[] = [];
  const whole = (path: string, was: unknown, now: unknown) => {
    if (deepEqual(was, now)) return;
    const what = `${JSON.stringify(was) ?? 'none'} -> ${JSON.stringify(now) ?? 'none'}`;
    changes.push({ sort: 'changed', version: '', path, what });
  };
  whole('group', before.group, after.group);
  whole('scope', before.scope, after.scope);
  for (const name of ['kind', 'plural', 'singular', 'listKind'] as const)
    whole(name, before.names[name], after.names[name]);
  for (const name of ['shortNames', 'categories'] as const)
    whole(name, before.names[name] ?? [], after.names[name] ?? []);
  whole('storageVersion', storageOf(before.versions), storageOf(after.versions));
  return [...changes, ...versionsChanges(before.versions, after.versions)];
}

type Version = CustomResourceDefinitionVersion;

const storageOf = (versions: readonly Version[]): string | undefined =>
  versions.find(({ storage }) => storage)?.name;

function versionsChanges(before: readonly Version[], after: readonly Version[]) {
  const names = new Set([...after, ...before].map(({ name }) => name));
  return [...names].flatMap((name): DefinitionChange[] => {
    const was = before.find((version) => version.name === name);
    const now = after.find((version) => version.name === name);
    if (was && now) return versionChanges(was, now);
    const sort = now ? 'added' : 'removed';
    return [{ sort, version: name, path: '', what: 'the version' }];
  });
}

function versionChanges(was: Version, now: Version): DefinitionChange[] {
  const { name: version } = now;
  const changes: DefinitionChange[] = schemaChanges(
    was.schema?.openAPIV3Schema ?? {},
    now.schema?.openAPIV3Schema ?? {},
  ).map((change) => ({ version, ...change }));
  if (was.served !== now.served)
    changes.push({
      sort: now.served ? 'added' : 'removed',
      version,
      path: '',
      what: now.served ? 'is served' : 'is no longer served',
    });
  for (const key of [
    'additionalPrinterColumns',
    'deprecated',
    'deprecationWarning',
    'selectableFields',
    'subresources',
  ] as const) {
    if (deepEqual(was[key], now[key])) continue;
    const what = `${JSON.stringify(was[key]) ?? 'none'} -> ${JSON.stringify(now[key]) ?? 'none'}`;
    changes.push({ sort: 'changed', version, path: OPTIONS[key] ?? key, what });
  }
  return changes;
}

const OPTIONS: Readonly<Record<string, string>> = { additionalPrinterColumns: 'columns' };
