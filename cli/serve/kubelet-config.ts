// The node agent's configuration: read from the file that `pinnace up --kubelet-config` names, kept in the data directory.
// Invariant: what is kept was checked when it was given; it holds for later starts until another one is given.
import { readFileSync } from 'node:fs';
import {
  ConfigurationError,
  configurationOf,
  type KubeletConfiguration,
  msOf,
  resolveConfiguration,
} from '../../kubelet/configuration.ts';
import { type DataPaths, UsageError, writeAtomically } from './data-directory.ts';
import { readYamlFile } from './yaml-file.ts';

/**
 * What goes for a cluster on one machine where its configuration says nothing of it: room for its own processes, and thresholds of disks
 * as amounts. Upstream's are shares, for machines that do nothing else: a tenth of somebody's disk is more than all of these pods need.
 */
const OURS = {
  kubeReserved: { cpu: '100m', memory: '256Mi' },
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1Gi',
    'nodefs.inodesFree': '1%',
    'imagefs.available': '1Gi',
    'imagefs.inodesFree': '1%',
  },
};

/** Reads YAML or JSON and keeps it. Throws UsageError for what cannot be read or honoured. */
export async function keepKubeletConfig(paths: DataPaths, file: string): Promise<void> {
  try {
    const document = await readYamlFile(file);
    configurationOf(document);
    writeAtomically(paths.kubeletConfig, `${JSON.stringify(document, null, 2)}\n`, 0o600);
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    throw new UsageError(`--kubelet-config ${file}: ${why}`);
  }
}

/** What was kept; upstream's defaults but for OURS where nothing was. Throws UsageError where it cannot be honoured any more. */
export function keptKubeletConfig(paths: DataPaths): Partial<KubeletConfiguration> {
  try {
    return { ...OURS, ...configurationOf(JSON.parse(readFileSync(paths.kubeletConfig, 'utf8'))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return OURS;
    const what = error instanceof ConfigurationError ? 'cannot be honoured' : 'cannot be read';
    throw new UsageError(
      `${paths.kubeletConfig} ${what} (${(error as Error).message}); give another with --kubelet-config, or remove it`,
    );
  }
}

/** How long its node may take to end its pods when it is told to go, in milliseconds. */
export const shutdownMsOf = (configuration: Partial<KubeletConfiguration>): number =>
  msOf(resolveConfiguration(configuration).shutdownGracePeriod);
