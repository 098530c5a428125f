// OpenAPI v2 documents of other servers, as parts of this server's own. Pure.
// Invariants: a part has the paths of its group and version and what they refer to, nothing else; a definition of this server is
// never replaced: one of the same name that says something else gets a name of its own, as upstream (`name_v2`).
import { deepEqual } from '../../../api/meta/deep-equal.ts';
import { type OpenApiV2Document } from '../../../api/schema/openapi-v2.ts';
import { openApiV2Protobuf } from '../../../api/schema/openapi-v2-protobuf.ts';
import type { GroupVersion } from './remote-discovery.ts';

type Definitions = OpenApiV2Document['definitions'];

const REFERENCE = '#/definitions/';

/** The part of another server's document that is about a group and version. Throws an Error for what clients could not read. */
export function openApiV2Of(answer: unknown, { group, version }: GroupVersion): OpenApiV2Document {
  const { swagger, paths, definitions } = answer as Partial<Record<string, unknown>>;
  if (swagger !== '2.0' || !isMap(paths)) throw new Error('the answer is no OpenAPI v2 document');
  const root = `/apis/${group}/${version}/`;
  const own = Object.entries(paths).filter(([path, item]) => path.startsWith(root) && isMap(item));
  const all = isMap(definitions) ? definitions : {};
  const named = new Set<string>();
  const collect = (value: unknown) => {
    for (const name of referencesIn(value)) {
      if (named.has(name) || !isMap(all[name])) continue;
      named.add(name);
      collect(all[name]);
    }
  };
  const ownPaths = Object.fromEntries(own) as OpenApiV2Document['paths'];
  collect(ownPaths);
  // Kinds that nothing refers to: a path may be described without its body.
  for (const [name, schema] of Object.entries(all))
    if (isMap(schema) && isOfGroup(schema, { group, version })) collect({ $ref: REFERENCE + name });
  const part: OpenApiV2Document = {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: '' },
    paths: ownPaths,
    definitions: Object.fromEntries([...named].map((name) => [name, all[name]])) as Definitions,
  };
  // Go clients read nothing else: what cannot be written so would take the whole document along.
  openApiV2Protobuf(part);
  return part;
}

function isOfGroup(schema: Json, { group, version }: GroupVersion): boolean {
  const kinds = schema['x-kubernetes-group-version-kind'];
  return (
    Array.isArray(kinds) &&
    kinds.some((kind) => isMap(kind) && kind['group'] === group && kind['version'] === version)
  );
}

/** This server's document with the parts of others. */
export function mergedOpenApiV2(
  own: OpenApiV2Document,
  parts: readonly OpenApiV2Document[],
): OpenApiV2Document {
  if (parts.length === 0) return own;
  const paths = { ...own.paths };
  const definitions: Definitions = { ...own.definitions };
  // As each was before what it refers to got other names: parts of one server are compared in its own words.
  const written: Definitions = { ...own.definitions };
  for (const part of parts) {
    const names = newNames(part.definitions, written);
    const renamed = (value: unknown) => withNames(value, names) as Record<string, unknown>;
    for (const [name, schema] of Object.entries(part.definitions)) {
      const given = names.get(name) ?? name;
      definitions[given] ??= renamed(schema);
      written[given] ??= schema;
    }
    for (const [path, item] of Object.entries(part.paths)) paths[path] ??= renamed(item);
  }
  return { ...own, paths, definitions };
}

/** Tries of `_v2`, `_v3` and so on. */
const MAX_RENAMES = 100;

/** New names for those that are taken by something else. */
function newNames(part: Definitions, taken: Definitions): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, schema] of Object.entries(part)) {
    if (taken[name] === undefined || sameSchema(taken[name], schema)) continue;
    for (let i = 2; i < MAX_RENAMES; i++) {
      const next = `${name}_v${i}`;
      if (part[next] !== undefined) continue;
      if (taken[next] !== undefined && !sameSchema(taken[next], schema)) continue;
      names.set(name, next);
      break;
    }
  }
  return names;
}

/** Which kinds use a type, and what is said about it, is no difference. */
function sameSchema(a: unknown, b: unknown): boolean {
  return deepEqual(bare(a), bare(b));
}

function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).filter(
    ([key, each]) =>
      !(key === 'description' && typeof each === 'string') &&
      key !== 'x-kubernetes-group-version-kind',
  );
  return Object.fromEntries(entries.map(([key, each]) => [key, bare(each)]));
}

function withNames(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (names.size === 0) return value;
  if (Array.isArray(value)) return value.map((each) => withNames(each, names));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      if (key !== '$ref' || typeof each !== 'string') return [key, withNames(each, names)];
      const next = names.get(each.slice(REFERENCE.length));
      return [key, next === undefined ? each : REFERENCE + next];
    }),
  );
}

function* referencesIn(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const each of value) yield* referencesIn(each);
  else if (isMap(value))
    for (const [key, each] of Object.entries(value)) {
      if (key === '$ref' && typeof each === 'string' && each.startsWith(REFERENCE))
        yield each.slice(REFERENCE.length);
      else yield* referencesIn(each);
    }
}

type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
