// Documents keep to what is there: every path named in Markdown exists.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesWith, isTest, root, sources } from './sources.ts';

const documents = filesWith(['.md']);

describe('documents', () => {
  it('are there', () => {
    expect(documents).toEqual(
      expect.arrayContaining(['README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md']),
    );
  });

  it('link to files that exist', () => {
    const broken = documents.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => !existsSync(join(root, dirname(path), link)))
        .map((link) => `${path}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('of the guide are led to from its first page, and have their code run by a test', () => {
    const pages = documents.filter((path) => /^docs\/guide\/(?!README)/.test(path));
    const first = readFileSync(join(root, 'docs/guide/README.md'), 'utf8');
    expect(pages.filter((path) => !first.includes(`](${basename(path)})`))).toEqual([]);
    const coded = pages.filter((path) => readFileSync(join(root, path), 'utf8').includes('```ts'));
    expect(coded.length).toBeGreaterThan(5);
    const tests = sources.filter(({ path }) => isTest(path)).map(({ text }) => text);
    expect(coded.filter((path) => !tests.some((text) => text.includes(path)))).toEqual([]);
  });

  it('name paths of the repository that exist', () => {
    const rooms =
      /`((?:base|system|api|streams|apiserver|client|controllers|scheduler|kubelet|network|cli|testing|tools|test|docs|examples|manifests|crds)\/[\w./-]+)`/g;
    const gone = documents.flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return [...text.matchAll(rooms)]
        .map((match) => match[1] ?? '')
        .filter((named) => !named.startsWith('api/generated') && !existsSync(join(root, named)))
        .map((named) => `${path}: ${named}`);
    });
    expect(gone).toEqual([]);
  });
});
