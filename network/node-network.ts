// The network of one node as a whole: its device, its guard routes, its pods' links; and its removal.
// Invariant: with the guard routes in place nothing for a pod or Service address leaves the host.
import { rmSync } from 'node:fs';
import type { System } from '../system/system.ts';
import { CommandError } from '../system/system.ts';
import { applyHostSettings, restoreHostSettings } from './host-settings.ts';
import { linkPrefix, namespacePrefix, type NetworkLayout, nodeDevice } from './layout.ts';
import { linkNames } from './links.ts';
import { RoutedPodNetwork } from './pod/routed-pod-network.ts';
import { removeServiceTable } from './services/service-proxy.ts';

/** What the network needs. */
export interface NodeNetworkOptions {
  readonly system: System;
  readonly layout: NetworkLayout;
  readonly stateDir: string;
}

/** Makes the node's device and routes (again, where they are there already) and answers its pod network. */
export async function setUpNodeNetwork(options: NodeNetworkOptions): Promise<RoutedPodNetwork> {
  const { system, layout, stateDir } = options;
  applyHostSettings(system, stateDir);
  const device = nodeDevice(layout);
  if (!(await linkNames(system)).includes(device))
    await system.run('ip', ['link', 'add', device, 'type', 'bridge']);
  const lines = [
    `address replace ${layout.nodeIp}/32 dev ${device}`,
    `link set ${device} up`,
    // Also the source address of this node's own connections to Services.
    `route replace ${layout.serviceCidr} dev ${device} src ${layout.nodeIp}`,
    // A pod that is gone leads to this device, where nobody is, rather than behind the default route.
    `route replace ${layout.podCidr} dev ${device} src ${layout.nodeIp}`,
  ];
  await system.run('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
  const pods = new RoutedPodNetwork(options);
  await pods.recover();
  return pods;
}

/** Removes everything of this cluster's network from the host and puts its settings back. */
export async function destroyNodeNetwork(options: NodeNetworkOptions): Promise<void> {
  const { system, layout, stateDir } = options;
  const attempt = async (command: string, args: readonly string[]) => {
    try {
      await system.run(command, args);
    } catch (error) {
      if (!(error instanceof CommandError) || error.exitCode === undefined) throw error;
    }
  };
  for (const link of await linkNames(system))
    if (link.startsWith(linkPrefix(layout))) await attempt('ip', ['link', 'delete', link]);
  for (const name of system.list('/run/netns'))
    if (name.startsWith(namespacePrefix(layout))) await attempt('ip', ['netns', 'delete', name]);
  await attempt('ip', ['link', 'delete', nodeDevice(layout)]);
  await removeServiceTable(system, layout);
  await restoreHostSettings(system, stateDir);
  rmSync(stateDir, { recursive: true, force: true });
}
