// The processes of a pod's containers, as the host sees them: which is the first of each, and whether it minds its stop signal yet.
// Invariant: what is waited for is read from the kernel, and a process that is gone keeps nobody waiting.
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ContainerStatus, Pod } from '../../../api/generated/types.ts';
import { until } from '../../support/until.ts';

/** The process of a container that the others come from, found by the cgroup that bears the container's id. Numbers begin anew at times. */
export function firstProcessOf(pod: Pod, name: string): number {
  const id = idOf(statusesOf(pod).find((each) => each.name === name));
  if (!id) throw new Error(`${name} has no container`);
  const first = processIn(id);
  if (first === undefined) throw new Error(`no process is in the cgroup of ${name}`);
  return Number(first);
}

/**
 * Resolves once the scripts that run in the pod have set a trap that they begin with: the first process of a container is never told
 * of a signal that it neither catches nor ignores. Of scripts that do one thing at first and another later, the trap of either.
 */
export async function minded(pod: Pod): Promise<void> {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  const scripts = new Map(
    [...initContainers, ...containers].map((each) => [each.name, each.command?.[2]]),
  );
  for (const status of statusesOf(pod)) {
    const mask = maskOf(scripts.get(status.name) ?? '');
    const pid = status.state?.running && mask > 0n ? processIn(idOf(status) ?? '') : undefined;
    if (pid !== undefined) await until(() => minds(pid, mask));
  }
}

const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.containerStatuses ?? []),
  ...(status?.initContainerStatuses ?? []),
];

const idOf = (status: ContainerStatus | undefined): string | undefined =>
  status?.containerID?.replace(/^[\w-]+:\/\//, '');

function processIn(containerId: string): string | undefined {
  const pids = readdirSync('/proc').filter(
    (entry) => /^\d+$/.test(entry) && readOf(entry, 'cgroup').includes(containerId),
  );
  return pids.find(
    (pid) => !pids.includes(/^PPid:\s*(\d+)$/m.exec(readOf(pid, 'status'))?.[1] ?? ''),
  );
}

/** The signals that a script's traps name, as the kernel writes sets of them. */
function maskOf(script: string): bigint {
  const names = [...script.matchAll(/^trap (["']).*?\1 (\w+)/gm)].map(([, , name]) => name);
  const numbers = names.map((name) => constants.signals[`SIG${name}` as NodeJS.Signals]);
  return numbers.reduce((mask, number) => mask | (1n << BigInt(number - 1)), 0n);
}

/** Not before it is the shell: what starts it catches signals of its own. */
function minds(pid: string, mask: bigint): boolean {
  const command = readOf(pid, 'cmdline');
  if (command === '') return true;
  const sets = readOf(pid, 'status').matchAll(/^Sig(?:Cgt|Ign):\s*(\w+)$/gm);
  const set = [...sets].reduce((all, [, hex]) => all | BigInt(`0x${hex}`), 0n);
  return command.startsWith('/bin/sh') && (set & mask) !== 0n;
}

/** What the kernel tells of a process; nothing of one that is gone. */
function readOf(pid: string, file: 'cgroup' | 'cmdline' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
