// Calls that must go through a door, unfinished work, file headers and sizes.
import { describe, expect, it } from 'vitest';
import { isTest, sources } from './sources.ts';

interface Ban {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Where it is allowed: the door itself, and places that are programs rather than rooms. */
  readonly allowed: RegExp;
  /** Looked for in tests and in comments too; otherwise in the code of rooms only. */
  readonly everywhere?: true;
}

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    instead: 'take a Clock (base/clock.ts)',
    allowed: /^(base\/clock\.ts|tools\/|examples\/)/,
  },
  {
    pattern: /(?<![.\w])(setTimeout|setInterval)\(/,
    instead: 'take a Clock (base/clock.ts)',
    allowed: /^(base\/(clock|virtual-clock)\.ts|cli\/serve\/child-process\.ts|tools\/|examples\/)/,
  },
  {
    pattern: /\bMath\.random\(|\brandomUUID\(/,
    instead: 'take a Random (base/random.ts)',
    allowed: /^(base\/random\.ts|tools\/|examples\/)/,
  },
  {
    pattern: /from 'node:child_process'/,
    instead: 'take a System (system/system.ts)',
    // An example's user has no System: git.ts is its own door to git.
    allowed:
      /^(system\/|tools\/|cli\/pinnace\.mjs|cli\/serve\/supervisor\.ts|examples\/09-gitops\/git\.ts)/,
  },
  {
    pattern: /\bprocess\.env\b/,
    instead: 'take an option; the environment is read in cli/',
    // run-command.ts and launch.ts hand this process's environment on to children, and read no more of it than where programs are.
    allowed:
      /^(cli\/|tools\/|examples\/|system\/(run-command|launch)\.ts|controllers\/framework\/operator\/run-operator\.ts)/,
  },
  {
    pattern: /^(export )?const \w+: (Readonly<)?Record<string, .*> = \{$/,
    instead: 'make it a table (base/table.ts): words from outside meet what objects inherit',
    allowed: /^(?!api\/|apiserver\/)|^api\/metrics\/schemas\.ts$/,
  },
  {
    pattern: /from 'fast-check'/,
    instead: 'take it seeded, from test/support/properties.ts',
    allowed: /^test\/(tidy\/|support\/properties\.ts$)/,
    everywhere: true,
  },
  {
    pattern: /\b(TODO|FIXME|XXX|HACK)\b/,
    instead: 'finish it, or name an issue in docs/',
    allowed: /^test\/tidy\//,
    everywhere: true,
  },
];

/** Tables of data are exempt from the size limit, by name. */
const DATA_FILES = /(seccomp-profile|list-types|bootstrap|patch-keys)[^/]*\.ts$/;
const SOURCE_LINES = 500;
const TEST_LINES = 700;

describe('bans', () => {
  for (const ban of BANS) {
    it(`finds no ${ban.pattern.source} outside its door`, () => {
      const hits = sources
        .filter((source) => ban.everywhere || !isTest(source.path))
        .filter((source) => !ban.allowed.test(source.path))
        .flatMap((source) =>
          source.lines.flatMap((line, i) =>
            ban.pattern.test(line) && (ban.everywhere || !/^\s*(\/\/|\*|\/\*)/.test(line))
              ? [`${source.path}:${i + 1}: ${ban.instead}`]
              : [],
          ),
        );
      expect(hits).toEqual([]);
    });
  }

  it('skips no test', () => {
    const hits = sources
      .filter((source) => isTest(source.path) && !source.path.startsWith('test/tidy/'))
      .filter((source) => /\b(it|test|describe)\.(only|todo|skip)\(/.test(source.text));
    expect(hits.map((source) => source.path)).toEqual([]);
  });
});

describe('files', () => {
  it('open with what they are', () => {
    const silent = sources.filter((source) => !/^(#!.*\n)?(\/\/|\/\*)/.test(source.text));
    expect(silent.map((source) => source.path)).toEqual([]);
  });

  it('stay within their size', () => {
    const large = sources
      .filter((source) => !DATA_FILES.test(source.path))
      .filter((s) => s.lines.length - 1 > (isTest(s.path) ? TEST_LINES : SOURCE_LINES));
    expect(large.map((source) => `${source.path}: ${source.lines.length - 1}`)).toEqual([]);
  });

  it('have names that tell their duty', () => {
    const vague = /(^|\/)(utils?|helpers?|common|misc|types|constants)\.ts$/;
    expect(sources.map((source) => source.path).filter((path) => vague.test(path))).toEqual([]);
  });

  it('use no default export and no any', () => {
    const hits = sources
      .filter((source) => source.path !== 'vitest.config.ts')
      .flatMap((source) =>
        source.lines.flatMap((line, i) =>
          // A test may read foreign JSON as it comes, and says so on the line.
          !(isTest(source.path) && line.includes('oxlint-disable-line')) &&
          /^export default\b|[:<(,]\s*any\b(?!\w)|\bas any\b/.test(line) &&
          !/^\s*(\/\/|\*|\/\*)/.test(line)
            ? [`${source.path}:${i + 1}: ${line.trim()}`]
            : [],
        ),
      );
    expect(hits).toEqual([]);
  });
});
