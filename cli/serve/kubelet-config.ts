// The node agent's configuration: read from the file that `pinnace up --kubelet-config` names, kept in the data directory.
// Invariant: what is kept was checked when it was given; it holds for later starts until another one is given.
import { readFileSync } from 'node:fs';
import {
  ConfigurationError,
  configurationOf,
  type KubeletConfiguration,
} from '../../kubelet/configuration.ts';
import { type DataPaths, UsageError, writeAtomically } from './data-directory.ts';

/** What a cluster on one machine keeps for its own processes, where its configuration says nothing of it. */
const KUBE_RESERVED = { cpu: '100m', memory: '256Mi' };

/** Reads YAML or JSON and keeps it. Throws UsageError for what cannot be read or honoured. */
export async function keepKubeletConfig(paths: DataPaths, file: string): Promise<void> {
  const { parse } = await import('yaml');
  try {
    const document: unknown = parse(readFileSync(file, 'utf8'), {
      version: '1.1',
      maxAliasCount: 100,
    });
    configurationOf(document);
    writeAtomically(paths.kubeletConfig, `${JSON.stringify(document, null, 2)}\n`, 0o600);
  } catch (error) {
    const why = (error as Error).message.split('\n')[0];
    throw new UsageError(`--kubelet-config ${file}: ${why}`);
  }
}

/** What was kept; upstream's defaults but for KUBE_RESERVED where nothing was. Throws UsageError where it cannot be honoured any more. */
export function keptKubeletConfig(paths: DataPaths): Partial<KubeletConfiguration> {
  const ours = { kubeReserved: KUBE_RESERVED };
  try {
    return { ...ours, ...configurationOf(JSON.parse(readFileSync(paths.kubeletConfig, 'utf8'))) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ours;
    const what = error instanceof ConfigurationError ? 'cannot be honoured' : 'cannot be read';
    throw new UsageError(
      `${paths.kubeletConfig} ${what} (${(error as Error).message}); give another with --kubelet-config, or remove it`,
    );
  }
}
