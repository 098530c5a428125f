// Finds manifests: files, folders, standard input, in the order kubectl takes them; and where their objects go.
// Invariant: what is asked for and not there is told before anything is read.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KindRef } from '../../api/kind-ref.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import { type ManifestDocument, parseManifest } from '../../api/wire/manifest.ts';
import { CommandFailure } from './command-failure.ts';

const ENDINGS = ['.json', '.yaml', '.yml'];

/** How folders are read. */
export interface ManifestReading {
  /** Folders within folders, too. */
  readonly recursive?: boolean | undefined;
}

/** All documents of the named files and folders, in order. `-` is standard input. A folder without any is refused. */
export function readManifests(
  paths: readonly string[],
  reading: ManifestReading = {},
): ManifestDocument[] {
  return paths.flatMap((path) =>
    filesOf(path, reading).flatMap((file) => parseManifest(textOf(file), file)),
  );
}

function filesOf(path: string, { recursive = false }: ManifestReading): string[] {
  if (path === '-') return [path];
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    throw new CommandFailure(`the path "${path}" does not exist`);
  }
  const files = readdirSync(path, { recursive, encoding: 'utf8' })
    .filter((name) => ENDINGS.some((ending) => name.endsWith(ending)))
    .sort()
    .map((name) => join(path, name));
  if (files.length === 0)
    throw new CommandFailure(
      `error reading [${path}]: recognized file extensions are [${ENDINGS.join(' ')}]`,
    );
  return files;
}

function textOf(file: string): string {
  return readFileSync(file === '-' ? 0 : file, 'utf8');
}

/** Which namespace manifests go to. */
export interface NamespaceChoice {
  /** For objects that name none. */
  readonly namespace?: string;
  /** The user asked for that namespace (-n): an object that names another is refused. */
  readonly namespaceAsked?: boolean;
}

/** Where an object goes; undefined for a kind without namespaces. Throws where it may not go there. */
export function namespaceFor(
  ref: KindRef,
  { metadata }: KubeObject,
  { namespace = 'default', namespaceAsked = false }: NamespaceChoice,
): string | undefined {
  if (!ref.namespaced) return undefined;
  const own = metadata.namespace || namespace;
  if (namespaceAsked && own !== namespace)
    throw new CommandFailure(
      `the namespace from the provided object "${own}" does not match the namespace "${namespace}". You must pass '--namespace=${own}' to perform this operation.`,
    );
  return own;
}
