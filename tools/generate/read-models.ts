// Reads the model classes of @kubernetes/client-node as data, without importing the package.
// Invariant: every class listed in models/all.js is read with all its attributes, or this throws.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One attribute of a model class, as the package describes it. */
export interface ModelAttribute {
  /** The name on the wire. */
  readonly name: string;
  /** The package's type text: `string`, `Array<V1Pod>`, `{ [key: string]: string; }`, … */
  readonly type: string;
  /** `int32`, `int64`, `byte`, `date-time`, … or ''. */
  readonly format: string;
  readonly optional: boolean;
  readonly description: string;
}

/** One model class. */
export interface ModelClass {
  /** The package's class name: `V1Pod`, `CoreV1Event`, … */
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly ModelAttribute[];
}

/** The models, and which API file (`CoreV1`, `AppsV1`, …) names which classes. */
export interface ModelPackage {
  readonly models: ReadonlyMap<string, ModelClass>;
  readonly apiUses: ReadonlyMap<string, ReadonlySet<string>>;
}

interface RawAttribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/**
 * Reads all models below `genFolder` (the package's dist/gen). Throws when something is unreadable.
 */
export function readModels(genFolder: string): ModelPackage {
  const listed = [...read(genFolder, 'models/all.js').matchAll(/from '\.\.\/models\/(\w+)\.js'/g)];
  const models = new Map<string, ModelClass>();
  for (const [, name] of listed) {
    if (name !== undefined) models.set(name, readModel(genFolder, name));
  }
  // The package also ships classes of removed versions, which all.js does not list.
  const exports = read(genFolder, 'models/all.js').match(/^export /gm)?.length;
  if (models.size < 600 || models.size !== exports) {
    throw new Error(`read ${models.size} model classes, but the package lists ${exports}`);
  }
  return { models, apiUses: readApis(genFolder) };
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function readModel(folder: string, name: string): ModelClass {
  const code = read(folder, `models/${name}.js`);
  const declaration = read(folder, `models/${name}.d.ts`);
  const list = /attributeTypeMap = (\[[\s\S]*?\n?\]);/.exec(code)?.[1];
  if (list === undefined) throw new Error(`no attribute list in ${name}`);
  const raw = JSON.parse(list) as RawAttribute[];
  const declared = declaredAttributes(declaration);
  const attributes = raw.map((attribute): ModelAttribute => {
    const found = declared.get(attribute.name);
    if (found === undefined) throw new Error(`${name}.${attribute.name} is not declared`);
    const { baseName, type, format } = attribute;
    return { name: baseName, type, format, ...found };
  });
  const description =
    /\/\*\*\n\* ([^\n]*)\n\*\/\nexport declare class/.exec(declaration)?.[1] ?? '';
  return { name, description: unescapeText(description), attributes };
}

function declaredAttributes(
  declaration: string,
): Map<string, { optional: boolean; description: string }> {
  const found = new Map<string, { optional: boolean; description: string }>();
  const pattern = /(?: {4}\/\*\*\n {4}\* ([^\n]*)\n {4}\*\/\n)? {4}'([^']+)'(\?)?: /g;
  for (const [, description = '', name = '', mark] of declaration.matchAll(pattern)) {
    found.set(name, { optional: mark === '?', description: unescapeText(description) });
  }
  return found;
}

/** The package's descriptions come with JavaScript escapes in them. */
function unescapeText(text: string): string {
  return text.replaceAll("\\'", "'").replaceAll('\\"', '"').replaceAll('*_/', '*/').trim();
}

function readApis(folder: string): Map<string, Set<string>> {
  const uses = new Map<string, Set<string>>();
  for (const file of readdirSync(join(folder, 'apis'))) {
    const api = /^(\w+V\d\w*|Version)Api\.d\.ts$/.exec(file)?.[1];
    if (api === undefined) continue;
    const names = read(folder, `apis/${file}`).matchAll(/from '\.\.\/models\/(\w+)\.js'/g);
    uses.set(api, new Set([...names].map(([, name]) => name ?? '')));
  }
  if (uses.size < 20) throw new Error(`read only ${uses.size} API files`);
  return uses;
}
