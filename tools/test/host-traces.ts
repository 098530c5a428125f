// What a run of the tests leaves on its host: processes, mounts and files by its temporary folder, namespaces and cgroups by
// what was not there before. Invariant: tells of nothing that another run on the same host may have made, and removes only the folder.
import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Namespaces and cgroups of the host, by path. */
export type HostPlaces = ReadonlySet<string>;

const FOLDERS = ['/run/netns', '/sys/fs/cgroup'];
/** How namespaces and cgroups of tests and clusters are called: t-1234abcd and pinnace-… */
const OURS = /^(t-[0-9a-f]{8}$|pinnace)/;

/** The namespaces and cgroups of clusters and tests that are there now. */
export function hostPlaces(): HostPlaces {
  const cgroupRoots = list('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name));
  return new Set(
    [...FOLDERS, ...cgroupRoots].flatMap((folder) =>
      list(folder)
        .filter((name) => OURS.test(name))
        .map((name) => join(folder, name)),
    ),
  );
}

/** What is left of a run that had this temporary folder to itself, and found those places when it began. */
export function tracesOf(scratch: string, before: HostPlaces): string[] {
  const files = list(scratch).map((name) => `file ${join(scratch, name)}`);
  const places = [...hostPlaces()].filter((path) => !before.has(path));
  const certain = othersAtWork(scratch) ? [] : places;
  return [...processesOf(scratch), ...mountsOf(scratch), ...files, ...certain];
}

/** Is there a cluster or a test on this host that is none of the run's? Whose a namespace is cannot be told then. */
const othersAtWork = (scratch: string): boolean =>
  processes().some(
    ({ pid, command, knows }) =>
      /vitest\/|cli\/(serve\/|pinnace)/.test(command) &&
      ![process.pid, process.ppid].includes(Number(pid)) &&
      !knows(scratch),
  );

/** Removes the folder; a mount that is left in it keeps what is mounted there. */
export function removeScratch(scratch: string): void {
  if (mountsOf(scratch).length > 0) return;
  rmSync(scratch, { recursive: true, force: true });
}

/** Processes that have the folder in their command or in their environment, which children inherit. */
const processesOf = (scratch: string): string[] =>
  processes()
    .filter(({ pid, knows }) => Number(pid) !== process.pid && knows(scratch))
    .map(({ pid, command }) => `process ${pid} (${command.slice(0, 80)})`);

/** All but those of the kernel and those that are over. */
function processes() {
  return list('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .map((pid) => {
      const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
      const knows = (path: string) => `${command} ${read(`/proc/${pid}/environ`)}`.includes(path);
      return { pid, command, knows };
    })
    .filter(({ command }) => command !== '');
}

function mountsOf(scratch: string): string[] {
  return read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${scratch}/`))
    .map((point) => `mount ${point}`);
}

function list(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
