// The arrows of docs/ARCHITECTURE.md, as a test: who may import whom, and no cycles of values.
import { describe, expect, it } from 'vitest';
import { isTest, type Source, sources } from './sources.ts';

/** Rooms that each room may import from besides itself. The longest matching folder counts. */
const ARROWS: Readonly<Record<string, readonly string[] | 'everything'>> = {
  base: [],
  system: ['base'],
  api: ['base'],
  streams: ['base', 'api'],
  apiserver: ['base', 'api', 'streams'],
  client: ['base', 'api', 'streams', 'system'],
  'controllers/framework': ['base', 'api', 'client'],
  controllers: ['base', 'api', 'client', 'controllers/framework'],
  scheduler: ['base', 'api', 'client'],
  kubelet: ['base', 'api', 'streams', 'client', 'system'],
  network: ['base', 'api', 'client', 'system'],
  'cli/commands': [
    'base',
    'api',
    'streams',
    'client',
    'system',
    'controllers/framework',
    'testing',
    'cli/printers',
    'cli/templates',
  ],
  // What `pinnace new` copies: it imports the package as its users do.
  'cli/templates': [],
  'cli/printers': ['base', 'api', 'client'],
  'cli/serve': 'everything',
  cli: ['base', 'api', 'client', 'cli/commands', 'cli/serve'],
  testing: 'everything',
  tools: 'everything',
  examples: 'everything',
  test: 'everything',
  // Configuration at the root.
  '': ['tools'],
};

const roomOf = (path: string): string =>
  Object.keys(ARROWS)
    .filter((room) => path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0] ?? '';

/** Controllers are rooms of their own: none may import another. */
function controllerOf(path: string): string | undefined {
  const [first, second, third] = path.split('/');
  return first === 'controllers' && third !== undefined && second !== 'framework'
    ? second
    : undefined;
}

function allowed(from: Source, target: string): boolean {
  const [room, other] = [roomOf(from.path), roomOf(target)];
  if (/(^|\/)(cli|test)\//.test(target) && room === 'testing') return false;
  const [mine, theirs] = [controllerOf(from.path), controllerOf(target)];
  if (mine !== undefined && theirs !== undefined) return mine === theirs;
  if (from.path.startsWith('controllers/') && mine === undefined && room === 'controllers')
    return true;
  const arrows = ARROWS[room];
  return room === other || arrows === 'everything' || (arrows?.includes(other) ?? false);
}

describe('layers', () => {
  const production = sources.filter((source) => !isTest(source.path));

  it('sees the whole house', () => {
    expect(production.length).toBeGreaterThan(100);
    expect(production.flatMap((source) => source.imports).length).toBeGreaterThan(300);
  });

  it('imports along the arrows only', () => {
    const wrong = production.flatMap((source) =>
      source.imports
        .filter((each) => each.relative && roomOf(each.target) !== '')
        .filter((each) => !allowed(source, each.target))
        .map((each) => `${source.path}:${each.line} may not import ${each.target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('knows the room of every source', () => {
    const homeless = production.filter((s) => s.path.includes('/') && roomOf(s.path) === '');
    expect(homeless.map((source) => source.path)).toEqual([]);
  });

  it('has no cycle of value imports', () => {
    expect(cycles(production)).toEqual([]);
  });

  it('wraps each third-party package in one file per room', () => {
    const users = new Map<string, Set<string>>();
    for (const source of production)
      for (const each of source.imports) {
        // Examples import this very package as its users do.
        if (each.relative || each.typeOnly || each.target === 'pinnace') continue;
        if (each.target.startsWith('node:')) continue;
        const key = `${each.target} in ${roomOf(source.path)}`;
        users.set(key, (users.get(key) ?? new Set()).add(source.path));
      }
    const spread = [...users].filter(([key, files]) => files.size > 1 && !ROOM_WIDE.has(key));
    expect(spread.map(([key, files]) => `${key}: ${[...files].join(', ')}`)).toEqual([]);
  });
});

/** Packages that are a room's own language rather than a part: named here with the reason. */
const ROOM_WIDE = new Set([
  'commander in cli/commands', // each command declares its own arguments
  'commander in cli/serve',
  'zod in examples', // each kind is a schema
]);

function cycles(files: readonly Source[]): string[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports.filter((each) => each.relative && !each.typeOnly).map((each) => each.target),
    ]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}
