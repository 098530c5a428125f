// Documents keep to what is there: every path named in Markdown exists.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesWith, root } from './sources.ts';

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
