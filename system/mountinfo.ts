// Parses /proc/PID/mountinfo (proc(5)). Pure.
import type { MountEntry } from './system.ts';

/** Mounts in the order of the file; lines that make no sense are left out. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry ? [entry] : [];
  });
}

/** The mount that a path lies on, by its name alone: links are not followed. The latest of several at one place is the one in sight. */
export function mountOf(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  let found: MountEntry | undefined;
  for (const mount of mounts) {
    const { mountPoint: at } = mount;
    const holds = at === '/' || path === at || path.startsWith(`${at}/`);
    if (holds && at.length >= (found?.mountPoint.length ?? 0)) found = mount;
  }
  return found;
}

/** `36 35 98:0 /root /point opts [tags...] - type source superopts` */
function parseLine(line: string): MountEntry | undefined {
  const [left, right] = line.split(' - ', 2);
  if (left === undefined || right === undefined) return undefined;
  const [, , , root, mountPoint, options, ...tags] = left.split(' ');
  const [type, source, superOptions] = right.split(' ');
  if (root === undefined || mountPoint === undefined || type === undefined) return undefined;
  return {
    mountPoint: unescapeOctal(mountPoint),
    root: unescapeOctal(root),
    type,
    source: unescapeOctal(source ?? ''),
    options: unescapeOctal([options, superOptions].filter(Boolean).join(',')),
    ...(tags.some((tag) => tag.startsWith('shared:')) && { isShared: true }),
  };
}

/** The kernel writes space, tab, newline and backslash as \040, \011, \012 and \134. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
