// Reads seccomp profiles that lie on the host: JSON in the form that runc takes (`linux.seccomp` of the OCI runtime specification).
// Invariant: what is not such a profile is refused in words; nothing of it is passed on that could reach outside of the container.
import { readFileSync, statSync } from 'node:fs';
import { RuntimeError } from '../runtime.ts';

/** Largest profile that is read. */
export const MAX_PROFILE_BYTES = 1024 * 1024;

/** Fields that are passed on; the rest (a listener's socket) is not for pods to name. */
const FIELDS = ['defaultAction', 'defaultErrnoRet', 'architectures', 'flags', 'syscalls'] as const;
const ACTION = /^SCMP_ACT_[A-Z_]+$/;

/** The profile. Throws RuntimeError `CreateContainerError` saying what is wrong with the file. */
export function readSeccompProfile(path: string): object {
  const profile = parse(path);
  const { defaultAction, syscalls = [] } = profile;
  if (typeof defaultAction !== 'string' || !ACTION.test(defaultAction))
    throw refused(path, 'its defaultAction is no action such as SCMP_ACT_ERRNO');
  if (!Array.isArray(syscalls) || !syscalls.every(isRule))
    throw refused(path, 'its syscalls are not a list of rules with names and an action');
  return Object.fromEntries(
    FIELDS.flatMap((name) => (profile[name] === undefined ? [] : [[name, profile[name]]])),
  );
}

type Json = Readonly<Record<string, unknown>>;

function isRule(rule: unknown): boolean {
  const { names, action } = (rule ?? {}) as Json;
  const named = Array.isArray(names) && names.every((name) => typeof name === 'string');
  return named && typeof action === 'string' && ACTION.test(action);
}

function parse(path: string): Json {
  const text = read(path);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    throw refused(path, `it is not JSON: ${(error as Error).message}`, error);
  }
  throw refused(path, 'it is not a JSON object');
}

function read(path: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw refused(path, 'it is not a file');
    if (stat.size > MAX_PROFILE_BYTES)
      throw refused(path, `it has ${stat.size} bytes, more than ${MAX_PROFILE_BYTES}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw refused(path, missing ? 'no such file on this node' : (error as Error).message, error);
  }
}

function refused(path: string, why: string, cause?: unknown): RuntimeError {
  return new RuntimeError(
    'CreateContainerError',
    `cannot load seccomp profile "${path}": ${why}`,
    cause,
  );
}
