// Finds the numeric user and groups of a container's process from its image's user field and /etc/passwd and /etc/group.
// Pure over the texts of those files. Numbers need no entry; names do.

/** Numeric identity of a process. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /**
   * The primary group first: a process that lacked it could get at files that are closed to that group and open to all others
   * (CVE-2023-25173).
   */
  readonly additionalGids: readonly number[];
}

/** What is asked for. */
export interface WantedUser {
  /** `user`, `uid`, `user:group`, `uid:gid` or empty. */
  readonly image: string;
  readonly runAsUser?: number | undefined;
  readonly runAsGroup?: number | undefined;
  readonly supplementalGroups: readonly number[];
  /** Strict: the groups that the image's files give its user do not count. */
  readonly supplementalGroupsPolicy?: 'Merge' | 'Strict' | undefined;
}

const MAX_ID = 2 ** 31 - 1;

/** Throws with one clear line when a name has no entry. */
export function resolveUser(
  wanted: WantedUser,
  files: { passwd: string; group: string },
): ProcessUser {
  const [imageUser = '', imageGroup] = wanted.image.split(':', 2);
  const userText = wanted.runAsUser?.toString() ?? (imageUser || '0');
  const number = asId(userText);
  const row = userRow(userText, number, files.passwd);
  const uid = number ?? asId(row[2] ?? '');
  if (uid === undefined) throw new Error(`the image has no user "${userText}" in /etc/passwd`);
  const gid =
    wanted.runAsGroup ?? groupId(imageGroup, wanted, files.group) ?? asId(row[3] ?? '') ?? 0;
  const name = wanted.supplementalGroupsPolicy === 'Strict' ? undefined : row[0];
  const named = name === undefined ? [] : memberships(name, files.group);
  return { uid, gid, additionalGids: [...new Set([gid, ...named, ...wanted.supplementalGroups])] };
}

/** The user's row of /etc/passwd by name or number; empty when there is none. */
function userRow(name: string, id: number | undefined, passwd: string): readonly string[] {
  const isIt = (row: readonly string[]) =>
    id === undefined ? row[0] === name : row[2] === `${id}`;
  return rows(passwd).find(isIt) ?? [];
}

/** The group of the image's user field counts only while that user is the one that runs. */
function groupId(name: string | undefined, wanted: WantedUser, file: string): number | undefined {
  if (!name || wanted.runAsUser !== undefined) return undefined;
  const id = asId(name) ?? asId(rows(file).find((fields) => fields[0] === name)?.[2] ?? '');
  if (id === undefined) throw new Error(`the image has no group "${name}" in /etc/group`);
  return id;
}

function memberships(user: string, file: string): number[] {
  return rows(file).flatMap((fields) => {
    const id = asId(fields[2] ?? '');
    return id !== undefined && (fields[3] ?? '').split(',').includes(user) ? [id] : [];
  });
}

function rows(text: string): string[][] {
  return text.split('\n').map((line) => line.split(':'));
}

function asId(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}
