// What is wrong with doc comments of exports: none where one is due, links that lead nowhere.
// Invariant: pure; each fault names its place.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Entry, Export } from './read-exports.ts';

/** Tables of kinds, and types from upstream's API: their name is what there is to say. */
const TABLES = /^api\/(kinds|further-kinds|generated\/.*)\.ts$/;

/** Is it one of the API's own kinds or types? */
export const isOfTheApi = ({ path }: Export): boolean => TABLES.test(path);

/** All of them, each as `PATH:LINE NAME: what is wrong`. */
export function referenceFaults(root: string, entries: readonly Entry[]): string[] {
  const names = new Set(entries.flatMap(({ exports }) => exports.map(({ name }) => name)));
  const found = entries.flatMap(({ exports }) =>
    exports.flatMap((each) => {
      const place = `${each.path}:${each.line} ${each.name}`;
      return faultsOf(root, each, names).map((fault) => `${place}: ${fault}`);
    }),
  );
  return [...new Set(found)];
}

function faultsOf(root: string, each: Export, names: ReadonlySet<string>): string[] {
  const { doc, path, text } = each;
  const silent = doc === '' && !isOfTheApi(each) ? ['has no doc comment'] : [];
  const all = `${doc}\n${text}`;
  const links = [...all.matchAll(/\{@link\s+(\w+)/g)].map(([, name = '']) => name);
  const files = [...doc.matchAll(/\]\(([^)#\s]+)/g)].map(([, file = '']) => file);
  return [
    ...silent,
    ...links
      .filter((name) => !names.has(name))
      .map((name) => `links to ${name}, which is not exported`),
    ...files
      .filter((file) => !/^[a-z]+:/.test(file) && !existsSync(join(root, dirname(path), file)))
      .map((file) => `links to ${file}, which is not there`),
  ];
}
