// The reference as Markdown: a page for each entry, and one that lists them.
// Invariant: pure; the same exports give the same text, and every link within leads to a heading that is there.
import { isOfTheApi } from './faults.ts';
import type { Entry, Export } from './read-exports.ts';

/** From the pages to the root. */
const UP = '../..';

/** Texts by the names of their files. */
export function referencePages(entries: readonly Entry[]): Map<string, string> {
  const homes = homesOf(entries);
  const pages = new Map(entries.map((entry) => [fileOf(entry), pageOf(entry, homes)]));
  const lines = entries.map(
    (entry) => `- [${entry.name}](${fileOf(entry)}): ${entry.exports.length} exports`,
  );
  return pages.set(
    'README.md',
    `# Reference\n\nMade from doc comments by \`npm run reference\`.\n\n${lines.join('\n')}\n`,
  );
}

const isValue = ({ sort }: Export): boolean => sort === 'value';
const isType = (each: Export): boolean => !isValue(each);
const fileOf = ({ name }: Entry): string => `${name.split('/').slice(1).join('-')}.md`;

/** Where each name is told. Names that differ in case alone have the same heading: the later one gets a number. */
function homesOf(entries: readonly Entry[]): Map<string, string> {
  const homes = new Map<string, string>();
  for (const entry of entries) {
    const seen = new Map<string, number>();
    for (const { name } of inOrder(entry)) {
      const heading = name.toLowerCase();
      const times = seen.get(heading) ?? 0;
      seen.set(heading, times + 1);
      const anchor = times === 0 ? heading : `${heading}-${times}`;
      if (!homes.has(name)) homes.set(name, `${fileOf(entry)}#${anchor}`);
    }
  }
  return homes;
}

/** What has a section of its own, as the page shows it: values, then types. */
function inOrder({ exports }: Entry): Export[] {
  const own = exports.filter((each) => !isOfTheApi(each));
  return [...own.filter(isValue), ...own.filter(isType)];
}

function pageOf(entry: Entry, homes: ReadonlyMap<string, string>): string {
  const own = inOrder(entry);
  const ofTheApi = entry.exports.filter(isOfTheApi);
  const sections = [
    `# ${entry.name}`,
    entry.header,
    ...part('Values', own.filter(isValue), homes),
    ...part('Types', own.filter(isType), homes),
    ...apiLists(ofTheApi),
  ];
  return `${sections.join('\n\n')}\n`;
}

function part(title: string, of: readonly Export[], homes: ReadonlyMap<string, string>): string[] {
  return of.length === 0 ? [] : [`## ${title}`, ...of.map((each) => sectionOf(each, homes))];
}

function sectionOf(each: Export, homes: ReadonlyMap<string, string>): string {
  const { line, name, path, text } = each;
  const doc = each.doc.replace(/\{@link\s+(\w+)[^}]*\}/g, (_, target: string) => {
    const home = homes.get(target);
    return home === undefined ? `\`${target}\`` : `[${target}](${home})`;
  });
  const spoken = new Set(text.match(/\b[A-Za-z_]\w*\b/g));
  const others = [...spoken]
    .filter((word) => word !== name && homes.has(word) && /^[A-Z]/.test(word))
    .sort()
    .map((word) => `[${word}](${homes.get(word)})`);
  return [
    `### ${name}`,
    doc,
    `\`\`\`ts\n${text}\n\`\`\``,
    ...(others.length === 0 ? [] : [`See ${others.join(', ')}.`]),
    `[${path}:${line}](${UP}/${path}#L${line})`,
  ].join('\n\n');
}

/** Kinds and types of the API are known by their names; what they mean is upstream's reference. */
function apiLists(exports: readonly Export[]): string[] {
  const list = (of: readonly Export[]) => of.map(({ name }) => `\`${name}\``).join(', ');
  if (exports.length === 0) return [];
  return [
    '## Kinds of the API',
    list(exports.filter(isValue)),
    '## Types of the API',
    list(exports.filter(isType)),
  ];
}
