// How the API server calls admission webhooks: read from the AdmissionConfiguration that `--admission-control-config-file` names,
// whose place is kept in the data directory. Invariant: what is kept was checked when it was given; credentials stay in their files.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { IdentitiesBySort } from '../../apiserver/webhooks/webhook-identity.ts';
import { systemClock } from '../../base/clock.ts';
import { loadWebhookUsers } from '../../client/kubeconfig/webhook-users.ts';
import { type DataPaths, UsageError, writeAtomically } from './data-directory.ts';
import { readYamlFile } from './yaml-file.ts';

const OPTION = '--admission-control-config-file';
/** Both are upstream's for the file as a whole; configurations of plugins have the first. */
const VERSIONS = ['apiserver.config.k8s.io/v1', 'apiserver.k8s.io/v1alpha1'];
const PLUGINS = new Map([
  ['MutatingAdmissionWebhook', 'mutating'],
  ['ValidatingAdmissionWebhook', 'validating'],
] as const);
type Plugin = 'MutatingAdmissionWebhook' | 'ValidatingAdmissionWebhook';
type Fields = Readonly<Record<string, unknown>>;

/** Keeps the place of a file that holds for later starts, too; an empty one forgets it. Throws UsageError where the file is wrong. */
export async function keepAdmissionConfig(paths: DataPaths, file: string): Promise<void> {
  const path = file === '' ? '' : resolve(file);
  if (path !== '') await readAdmissionConfig(path);
  writeAtomically(paths.admissionConfig, `${JSON.stringify({ path })}\n`, 0o600);
}

/** Identities by the file that was given last; none where there was none. Throws UsageError where it cannot be honoured any more. */
export async function keptAdmissionConfig(paths: DataPaths): Promise<IdentitiesBySort> {
  let path: string;
  try {
    ({ path } = JSON.parse(readFileSync(paths.admissionConfig, 'utf8')) as { path: string });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new UsageError(
      `${paths.admissionConfig} cannot be read (${(error as Error).message}); give a file with ${OPTION}, or "" for none`,
    );
  }
  return path === '' ? {} : readAdmissionConfig(path);
}

/** What an AdmissionConfiguration comes to: YAML or JSON. Throws UsageError with the option, the file, and what is wrong where. */
export async function readAdmissionConfig(file: string): Promise<IdentitiesBySort> {
  try {
    const document = await fieldsIn(file);
    checkKind(document, { kind: 'AdmissionConfiguration', versions: VERSIONS }, 'the file');
    onlyKnown(document, ['apiVersion', 'kind', 'plugins'], 'the file');
    const plugins = document['plugins'] ?? [];
    if (!Array.isArray(plugins)) throw new Error('plugins is not a list');
    const identities: { -readonly [sort in keyof IdentitiesBySort]: IdentitiesBySort[sort] } = {};
    for (const [i, plugin] of plugins.entries()) {
      const at = `plugins[${i}]`;
      const fields = mapping(plugin, at);
      const sort = sortOf(fields['name'], at);
      if (identities[sort]) throw new Error(`${at}: ${fields['name'] as Plugin} is there twice`);
      identities[sort] = await pluginUsers(fields, at, dirname(file));
    }
    return identities;
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    throw new UsageError(`${OPTION} ${file}: ${why}`);
  }
}

function sortOf(name: unknown, at: string): 'mutating' | 'validating' {
  const sort = PLUGINS.get(name as Plugin);
  if (sort) return sort;
  const known = [...PLUGINS.keys()].join(' and ');
  throw new Error(
    `${at}.name is ${JSON.stringify(name)}; ${known} can be configured here, other plugins have no settings`,
  );
}

/** The users of a plugin's kubeconfig; its configuration stands in the file, or in one of its own. */
async function pluginUsers(plugin: Fields, at: string, directory: string) {
  onlyKnown(plugin, ['name', 'path', 'configuration'], at);
  const { path, configuration } = plugin;
  if (path !== undefined && path !== '' && configuration !== undefined && configuration !== null)
    throw new Error(`${at} has a path and a configuration; leave one of them out`);
  const isElsewhere = typeof path === 'string' && path !== '';
  const of = isElsewhere ? resolve(directory, path) : `${at}.configuration`;
  const fields = isElsewhere ? await fieldsIn(of) : mapping(configuration, of);
  const versions = VERSIONS.slice(0, 1);
  checkKind(fields, { kind: 'WebhookAdmissionConfiguration', versions }, of);
  onlyKnown(fields, ['apiVersion', 'kind', 'kubeConfigFile'], of);
  const file = fields['kubeConfigFile'];
  if (typeof file !== 'string' || file === '')
    throw new Error(`${of} has no kubeConfigFile; name the kubeconfig with the credentials`);
  return loadWebhookUsers(resolve(isElsewhere ? dirname(of) : directory, file), systemClock);
}

const fieldsIn = async (file: string): Promise<Fields> => mapping(await readYamlFile(file), file);

function mapping(value: unknown, of: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${of} is empty, or not a mapping`);
  return value as Fields;
}

interface Expected {
  readonly kind: string;
  readonly versions: readonly string[];
}

function checkKind(fields: Fields, { kind, versions }: Expected, of: string): void {
  const { apiVersion, kind: said } = fields;
  if (said === kind && versions.includes(apiVersion as string)) return;
  throw new Error(
    `${of} is of kind ${JSON.stringify(said)} in ${JSON.stringify(apiVersion)}; it has to be ${kind} in ${versions.join(' or ')}`,
  );
}

function onlyKnown(fields: Fields, known: readonly string[], of: string): void {
  const unknown = Object.keys(fields).find((field) => !known.includes(field));
  if (unknown !== undefined)
    throw new Error(`${of} has ${unknown}, which is not supported; known are ${known.join(', ')}`);
}
