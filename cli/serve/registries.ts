// The settings of registries: read from the file that `pinnace up --registries` names, kept in the data directory, for the node and for
// `pinnace image`. Invariant: what is kept was checked when it was given, and names files by absolute paths.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  DEFAULT_SETTINGS,
  parseRegistrySettings,
  readRegistrySettings,
  type RegistrySettings,
  RegistrySettingsError,
} from '../../kubelet/images/registry/registry-settings.ts';
import { type DataPaths, UsageError, writeAtomically } from './data-directory.ts';

const FILE_FIELDS = ['ca', 'clientCertificate', 'clientKey'];

/** Keeps the settings of a file. Throws UsageError where they are wrong. */
export function keepRegistries(paths: DataPaths, file: string): void {
  try {
    const text = readFileSync(file, 'utf8');
    parseRegistrySettings(text, file);
    const kept = JSON.stringify(JSON.parse(text, absolute(dirname(resolve(file)))), null, 2);
    // It may hold passwords.
    writeAtomically(paths.registries, `${kept}\n`, 0o600);
  } catch (error) {
    throw new UsageError(`--registries ${file}: ${(error as Error).message}`);
  }
}

function absolute(folder: string): (key: string, value: unknown) => unknown {
  return (key, value) =>
    FILE_FIELDS.includes(key) && typeof value === 'string' ? resolve(folder, value) : value;
}

/** What holds: what was kept, or the defaults. Throws UsageError where it cannot be honoured any more. */
export function keptRegistries(paths: DataPaths): RegistrySettings {
  if (!existsSync(paths.registries)) return DEFAULT_SETTINGS;
  return checked(() => readRegistrySettings(paths.registries), paths.registries);
}

/** The settings of a file for one command. Throws UsageError. */
export function registriesOf(file: string): RegistrySettings {
  return checked(() => readRegistrySettings(file), file);
}

function checked(read: () => RegistrySettings, file: string): RegistrySettings {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RegistrySettingsError)) throw error;
    throw new UsageError(`${error.message}; mend ${file}, or give another with --registries`);
  }
}
